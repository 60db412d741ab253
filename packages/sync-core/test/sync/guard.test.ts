import { engines } from '@tidemark/test-engines'
import { describe, expect, test } from 'vitest'
import { testWorld } from '../world/test-world.ts'

const pages = (count: number, text = 'text') =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}.md`, `${text} ${i}`]))

describe.each(engines)('a source in %s', (engine) => {
  test('that would lose more than half of its pages is blocked until a person allows it', async () => {
    await using world = await testWorld({ engine })
    const before = await world.repository.commit(pages(120))
    await world.sync()
    await world.repository.commit(pages(50))
    const blocked = await world.sync()
    expect(blocked).toMatchObject({
      status: 'blocked',
      reason: 'mass_delete',
      bookmark: before,
      filesRemaining: 70,
    })
    expect(blocked.warnings[0]?.message).toContain('70 of 120 pages would be deleted')
    expect(Object.keys(await world.pages())).toHaveLength(120)
    expect(await world.sync({ dryRun: true })).toMatchObject({
      status: 'dry_run',
      filesDeleted: 70,
      warnings: [{ code: 'mass_delete' }],
    })
    expect(await world.sync({ allowMassDelete: true })).toMatchObject({ status: 'synced', filesDeleted: 70 })
    const { rows } = await world.db.query('SELECT status, reason FROM tidemark.runs ORDER BY id')
    expect(rows.slice(1)).toEqual([
      { status: 'blocked', reason: 'mass_delete' },
      { status: 'synced', reason: null },
    ])
  })

  test('that would be emptied is blocked however small it is, and one that moves to a folder is not', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'a' })
    await world.sync()
    await world.repository.commit({ 'docs/a.md': 'a' })
    expect(await world.sync()).toMatchObject({ status: 'synced', filesRenamed: 1 })
    await world.repository.commit({ 'a.txt': 'a' })
    expect(await world.sync()).toMatchObject({ status: 'blocked', reason: 'mass_delete' })
  })

  test('of which too many files cannot be stored is blocked before the harm is done', async () => {
    await using world = await testWorld({ engine })
    const before = await world.repository.commit(pages(100))
    await world.sync()
    const broken = Object.fromEntries(Object.keys(pages(60)).map((path) => [path, 'a\0']))
    await world.repository.commit({ ...pages(100), ...broken })
    const blocked = await world.sync()
    expect(blocked).toMatchObject({ status: 'blocked_by_failures', bookmark: before })
    expect(blocked.warnings[0]?.message).toMatch(/files cannot be stored/)
    expect(Object.keys(await world.pages()).length).toBeGreaterThan(75)
    expect(await world.sync()).toMatchObject({ status: 'blocked_by_failures', bookmark: before })
    await world.repository.commit(pages(100, 'mended'))
    expect(await world.sync()).toMatchObject({ status: 'synced' })
    expect((await world.db.query('SELECT * FROM tidemark.quarantine')).rows).toEqual([])
  })

  test('is written anew by a full sync, which goes on where it was stopped', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit(pages(90))
    await world.sync()
    const ids = await world.ids()
    await world.db.query(`UPDATE tidemark.pages SET title = 'tampered'`)
    const stop = new AbortController()
    const first = await world.sync({
      full: true,
      signal: stop.signal,
      onProgress: ({ done }) => done > 0 && stop.abort(),
    })
    expect(first).toMatchObject({ status: 'partial', reason: 'cancelled' })
    expect(first.filesUpdated).toBeGreaterThan(0)
    const rest = await world.sync()
    expect(rest).toMatchObject({ status: 'synced', filesUpdated: 90 - first.filesUpdated })
    const tampered = await world.db.query(`SELECT path FROM tidemark.pages WHERE title = 'tampered'`)
    expect(tampered.rows).toEqual([])
    expect(await world.ids()).toEqual(ids)
    expect(await world.sync()).toMatchObject({ status: 'up_to_date' })
  })

  test('tries its quarantine again when asked to', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'a', 'bad.md': 'b\0' })
    await world.sync()
    expect(await world.sync({ retryQuarantined: true })).toMatchObject({
      status: 'synced',
      filesQuarantined: 1,
      blobsRead: 1,
    })
    const { rows } = await world.db.query('SELECT last_seen_at > first_seen_at AS again FROM tidemark.quarantine')
    expect(rows).toEqual([{ again: true }])
  })

  test('is parsed anew, in as many runs as it takes, when the parser has changed', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit(pages(60))
    await world.sync()
    await world.db.query('UPDATE tidemark.pages SET parser_version = 0')
    await world.db.query('UPDATE tidemark.sources SET parser_version = 0')
    const stop = new AbortController()
    const first = await world.sync({
      signal: stop.signal,
      onProgress: ({ done }) => done > 0 && stop.abort(),
    })
    expect(first).toMatchObject({ status: 'partial', filesUpdated: 25 })
    expect(await world.sync()).toMatchObject({ status: 'synced', filesUpdated: 35 })
  })
})
