import { allEngines } from '@tidemark/test-engines'
import { afterEach, describe, expect, test } from 'vitest'
import { type TestWorld, testWorld } from '../world/test-world.ts'

const files = (count: number, text = 'text') =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}.md`, `# ${i}\n\n${text}`]))

describe.each(allEngines)('in %s a file that the database refuses', (engine) => {
  let world: TestWorld
  /** Stands for any limit of a database or rule of its owner that no parser knows of. */
  const refuse = (table: string, check: string) =>
    world.db.query(`ALTER TABLE tidemark.${table} ADD CONSTRAINT refused CHECK (NOT (${check})) NOT VALID`)
  const allow = (table: string) => world.db.query(`ALTER TABLE tidemark.${table} DROP CONSTRAINT IF EXISTS refused`)
  const quarantined = async () =>
    (await world.db.query('SELECT path, code, message FROM tidemark.quarantine ORDER BY path')).rows

  afterEach(async () => {
    for (const table of ['pages', 'chunks', 'links']) await allow(table)
    await world[Symbol.asyncDispose]()
  })

  test.each([
    ['pages', `path = 'f7.md'`],
    ['chunks', `content LIKE '%text of f7%'`],
    ['links', `target = 'of-f7.md'`],
  ])('for a row of %s is set aside with the reason, and everything else is in', async (table, check) => {
    world = await testWorld({ engine })
    const refused = 'text of f7 [a](of-f7.md)'
    await world.repository.commit({ ...files(60), 'f7.md': refused })
    await refuse(table, check)
    expect(await world.sync()).toMatchObject({ status: 'first_sync', filesImported: 59, filesQuarantined: 1 })
    const { 'f7.md': _, ...others } = await world.repository.tree()
    expect(await world.pages()).toEqual(others)
    const message = expect.stringMatching(/^it breaks a rule of the database \(23514: .*refused/)
    expect(await quarantined()).toEqual([{ path: 'f7.md', code: 'refused_by_database', message }])
    expect(await world.sync()).toMatchObject({ status: 'up_to_date' })
    await allow(table)
    expect(await world.sync({ retryQuarantined: true })).toMatchObject({ status: 'synced', filesImported: 1 })
    expect(await world.pages()).toEqual(await world.repository.tree())
    expect(await quarantined()).toEqual([])
  })

  test('loses the page that held an older state of it, and no other', async () => {
    world = await testWorld({ engine })
    await world.repository.commit(files(30))
    await world.sync()
    await refuse('pages', `path = 'f7.md'`)
    await world.repository.commit({ ...files(30, 'new text'), 'more.md': 'more' })
    expect(await world.sync()).toMatchObject({
      filesImported: 1,
      filesUpdated: 29,
      filesQuarantined: 1,
      filesRemaining: 0,
    })
    const { 'f7.md': _, ...others } = await world.repository.tree()
    expect(await world.pages()).toEqual(others)
  })

  test('takes the others of its cycle of renames along: alone they would claim one path', async () => {
    world = await testWorld({ engine })
    await world.repository.commit({ ...files(5), 'a.md': 'A', 'b.md': 'B' })
    await world.sync()
    await refuse('pages', `path = 'a.md' AND content = 'B'`)
    await world.repository.commit({ ...files(5), 'a.md': 'B', 'b.md': 'A' })
    expect(await world.sync()).toMatchObject({ status: 'synced', filesRenamed: 0, filesQuarantined: 2 })
    expect(Object.keys(await world.pages()).sort()).toEqual(Object.keys(files(5)))
  })

  test('is no reason to set aside most of a source: then the fault is not in the files', async () => {
    world = await testWorld({ engine })
    await world.repository.commit(files(100))
    await world.sync()
    await refuse('pages', 'true')
    await world.repository.commit(files(100, 'new text'))
    expect(await world.sync()).toMatchObject({
      status: 'blocked_by_failures',
      warnings: [{ code: 'too_many_failures', message: expect.stringContaining('a rule of the database') }],
    })
    expect(Object.keys(await world.pages()).length).toBeGreaterThan(75)
  })
})
