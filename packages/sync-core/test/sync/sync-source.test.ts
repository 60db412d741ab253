import { engines } from '@tidemark/test-engines'
import { describe, expect, test } from 'vitest'
import type { PlannedChange } from '../../src/index.ts'
import { testWorld } from '../world/test-world.ts'

describe.each(engines)('a sync into %s', (engine) => {
  test('imports every Markdown file at first, and nothing else', async () => {
    await using world = await testWorld({ engine })
    const commit = await world.repository.commit({
      'README.md': '# Hello\n\nsee [the guide](guide/start.md#first)',
      'guide/start.md': '---\ntitle: Start here\n---\n\nText\n\n## First\n\nmore',
      'guide/upper.MARKDOWN': 'no title',
      'logo.png': Buffer.from([0, 1, 2]),
      'notes.txt': 'not a page',
    })
    const result = await world.sync()
    expect(result).toMatchObject({
      ...{ source: 'docs', status: 'first_sync', bookmark: commit, target: commit },
      ...{
        filesImported: 3,
        filesUpdated: 0,
        filesRenamed: 0,
        filesDeleted: 0,
        filesRemaining: 0,
        blobsRead: 3,
      },
    })
    expect(await world.pages()).toEqual(await world.repository.tree())
    const { rows } = await world.db.query('SELECT path, slug, title, frontmatter FROM tidemark.pages ORDER BY path')
    expect(rows).toEqual([
      { path: 'README.md', slug: 'readme', title: 'Hello', frontmatter: {} },
      {
        path: 'guide/start.md',
        slug: 'guide/start',
        title: 'Start here',
        frontmatter: { title: 'Start here' },
      },
      { path: 'guide/upper.MARKDOWN', slug: 'guide/upper', title: 'upper', frontmatter: {} },
    ])
    const { rows: links } = await world.db.query('SELECT kind, target, target_path FROM tidemark.links')
    expect(links).toEqual([{ kind: 'link', target: 'guide/start.md#first', target_path: 'guide/start.md' }])
  })

  test('that finds nothing new reads no blob, takes no lease and records no run', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'a' })
    await world.sync()
    const before = await world.db.query('SELECT key, token FROM tidemark.locks')
    expect(await world.sync()).toMatchObject({ status: 'up_to_date', blobsRead: 0, filesRemaining: 0 })
    expect(await world.db.query('SELECT key, token FROM tidemark.locks')).toEqual(before)
    expect((await world.db.query('SELECT status FROM tidemark.runs')).rows).toEqual([{ status: 'first_sync' }])
  })

  test('brings changes, additions, renames and deletions, and a renamed page keeps its id', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({
      'change.md': 'one',
      'keep.md': 'keep',
      'move.md': '[x](y.md) moved',
      'drop.md': 'drop',
    })
    await world.sync()
    const before = await world.ids()
    await world.repository.commit({
      'change.md': 'two',
      'keep.md': 'keep',
      'new/home.md': '[x](y.md) moved',
      'fresh.md': 'f',
    })
    expect(await world.sync()).toMatchObject({
      ...{
        status: 'synced',
        filesImported: 1,
        filesUpdated: 1,
        filesRenamed: 1,
        filesDeleted: 1,
        blobsRead: 3,
      },
    })
    expect(await world.pages()).toEqual(await world.repository.tree())
    const after = await world.ids()
    expect(after['new/home.md']).toBe(before['move.md'])
    expect(after['change.md']).toBe(before['change.md'])
    const { rows } = await world.db.query('SELECT target_path FROM tidemark.links')
    expect(rows).toEqual([{ target_path: 'new/y.md' }])
  })

  test('removes the chunks and links that a shorter text no longer has', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({
      'a.md': '# A\n\n[1](1.md) [2](2.md)\n\n## B\n\n## C\n',
      'b.md': '# B\n\n[3](3.md)',
    })
    await world.sync()
    await world.repository.commit({ 'a.md': '# A\n\n[2](2.md)\n' })
    await world.sync()
    const { rows } = await world.db.query('SELECT ordinal, content FROM tidemark.chunks')
    expect(rows).toEqual([{ ordinal: 0, content: '# A\n\n[2](2.md)' }])
    expect((await world.db.query('SELECT ordinal, target FROM tidemark.links')).rows).toEqual([
      { ordinal: 0, target: '2.md' },
    ])
  })

  test('whose commit touches no Markdown only moves the bookmark', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'a' })
    await world.sync()
    const commit = await world.repository.commit({ 'a.md': 'a', 'b.txt': 'b' })
    expect(await world.sync()).toMatchObject({
      status: 'synced',
      bookmark: commit,
      blobsRead: 0,
      filesImported: 0,
    })
  })

  test('sets a file aside that cannot be stored, says why, and tries it again when it has changed', async () => {
    await using world = await testWorld({ engine })
    const good = { 'good.md': 'fine' }
    await world.repository.commit({
      ...good,
      'bad.md': Buffer.from([0x23, 0xff, 0xfe]),
      'nul.md': 'a\0b',
      'fm.md': '---\na: [\n---\n',
    })
    expect(await world.sync()).toMatchObject({
      status: 'first_sync',
      filesImported: 1,
      filesQuarantined: 3,
      filesRemaining: 0,
    })
    const { rows } = await world.db.query('SELECT path, code, message FROM tidemark.quarantine ORDER BY path')
    expect(rows.map(({ path, code }) => [path, code])).toEqual([
      ['bad.md', 'bad_utf8'],
      ['fm.md', 'bad_front_matter'],
      ['nul.md', 'nul'],
    ])
    await world.repository.commit({ ...good, 'bad.md': Buffer.from([0x23, 0xff, 0xfe]), 'nul.md': 'mended' })
    expect(await world.sync()).toMatchObject({
      status: 'synced',
      filesImported: 1,
      filesQuarantined: 0,
      blobsRead: 1,
    })
    const left = await world.db.query('SELECT path FROM tidemark.quarantine')
    expect(left.rows).toEqual([{ path: 'bad.md' }])
  })

  test('drops the page of a file that has become unstorable', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': '[l](l.md)', 'b.md': 'b' })
    await world.sync()
    await world.repository.commit({ 'a.md': 'a\0', 'b.md': 'b' })
    expect(await world.sync()).toMatchObject({ status: 'synced', filesQuarantined: 1, filesDeleted: 0 })
    expect(Object.keys(await world.pages())).toEqual(['b.md'])
    expect((await world.db.query('SELECT * FROM tidemark.links')).rows).toEqual([])
  })

  test('of a dry run counts and writes nothing', async () => {
    await using world = await testWorld({ engine })
    const commit = await world.repository.commit({ 'a.md': 'a', 'b.md': 'b' })
    expect(await world.sync({ dryRun: true })).toMatchObject({
      status: 'dry_run',
      target: commit,
      filesImported: 2,
      blobsRead: 0,
    })
    expect(await world.pages()).toEqual({})
    expect((await world.db.query('SELECT * FROM tidemark.sources')).rows).toEqual([])
    expect((await world.db.query('SELECT * FROM tidemark.locks')).rows).toEqual([])
  })

  test('of a dry run tells each change that a sync would make, and no row of the database changes', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'change.md': '1', 'drop.md': '2', 'move.md': '3', 'keep.md': '4' })
    await world.sync()
    const everything = () =>
      world.db.query(`SELECT (SELECT json_agg(s)::text FROM tidemark.sources s) AS sources,
        (SELECT json_agg(p ORDER BY id)::text FROM tidemark.pages p) AS pages,
        (SELECT count(*) FROM tidemark.runs) AS runs, (SELECT json_agg(l)::text FROM tidemark.locks l) AS locks`)
    const before = await everything()
    await world.repository.commit({ 'change.md': '5', 'moved.md': '3', 'keep.md': '4', 'new.md': '6' })
    const changes: PlannedChange[] = []
    const result = await world.sync({ dryRun: true, onPlan: (plan) => changes.push(...plan) })
    expect(changes).toEqual([
      { change: 'rename', path: 'moved.md', from: 'move.md' },
      { change: 'update', path: 'change.md' },
      { change: 'add', path: 'new.md' },
      { change: 'delete', path: 'drop.md' },
    ])
    expect(result).toMatchObject({ status: 'dry_run', filesImported: 1, filesRenamed: 1, filesRemaining: 4 })
    expect(await everything()).toEqual(before)
  })

  test('is busy while another has the lease, and names who', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'a' })
    const lease = await world.db.locks.acquire('sync:docs')
    expect(await world.sync()).toMatchObject({
      status: 'busy',
      holder: { pid: process.pid },
      filesImported: 0,
    })
    await lease.release()
    expect(await world.sync()).toMatchObject({ status: 'first_sync' })
  })

  test('fails with a code and a hint, and leaves nothing behind', async () => {
    await using world = await testWorld({ engine })
    expect(await world.sync()).toMatchObject({
      status: 'failed',
      error: { code: 'REF_NOT_FOUND', hint: 'It has no commits yet.' },
    })
    await world.repository.commit({ 'a.md': 'a' })
    expect(await world.sync({ ref: 'mian' })).toMatchObject({
      status: 'failed',
      error: { code: 'REF_NOT_FOUND', hint: 'tidemark sources set docs --ref main' },
    })
    expect(await world.sync({ ref: '--upload-pack=x' })).toMatchObject({
      status: 'failed',
      error: { code: 'BAD_REF' },
    })
    expect((await world.db.query('SELECT * FROM tidemark.sources')).rows).toEqual([])
  })
})
