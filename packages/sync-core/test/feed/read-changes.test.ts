import { allEngines, engines } from '@tidemark/test-engines'
import { seededRandom } from '@tidemark/test-engines/seeded-random'
import { describe, expect, test } from 'vitest'
import {
  type Change,
  type ChangeList,
  pruneChanges,
  readChanges,
  removeSource,
  renameSource,
  syncSource,
} from '../../src/index.ts'
import { applyBatch, encodeBatch } from '../../src/store/apply-batch.ts'
import { type TestWorld, testWorld } from '../world/test-world.ts'

const { signal } = new AbortController()
const read = ({ db }: TestWorld, after?: string) => readChanges(db, 'docs', { after })
const brief = ({ changes }: ChangeList) =>
  changes.map(({ change, path, from }) => [change, path, ...(from ? [from] : [])])

/** An application that keeps what the feed tells, by the ids of the pages. */
function follower(world: TestWorld, source = 'docs') {
  const paths = new Map<string, string>()
  let cursor = '0'
  const apply = ({ change, pageId, path }: Change) => {
    if (change === 'delete') paths.delete(pageId)
    else paths.set(pageId, path)
  }
  return {
    /** Reads one list; it is killed before it keeps the cursor, or not. */
    async step(limit: number, killed = false) {
      if (cursor === '0') paths.clear()
      const list = await readChanges(world.db, source, { after: cursor, limit }).catch((error) => {
        if (error.code !== 'CURSOR_EXPIRED') throw error
        return null
      })
      if (list === null) {
        cursor = '0'
        return 1
      }
      for (const change of list.changes) apply(change)
      if (!killed) cursor = list.cursor
      return list.changes.length
    },
    async catchUp(limit = 1_000) {
      while ((await this.step(limit)) > 0);
    },
    paths: () => Object.fromEntries([...paths].map(([id, path]) => [path, id])),
  }
}

describe.each(allEngines)('the changes of a source in %s', (engine) => {
  test('are its pages from the beginning, in the order in which they were written, and then nothing', async () => {
    await using world = await testWorld({ engine })
    const commit = await world.repository.commit({ 'a.md': 'a', 'b.md': 'b' })
    await world.sync()

    const list = await read(world)

    expect(list.changes).toMatchObject([
      { change: 'add', path: 'a.md', commit },
      { change: 'add', path: 'b.md', commit },
    ])
    const [first, second] = list.changes
    expect(second!.seq).toBe(first!.seq + 1)
    expect(list.cursor).toBe(String(second!.seq))
    expect(await read(world, list.cursor)).toEqual({ changes: [], cursor: list.cursor })
  })

  test('since a cursor are each page once, as it is now', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'changed.md': '1', 'gone.md': 'gone', 'old.md': 'same', 'kept.md': 'kept' })
    await world.sync()
    const ids = await world.ids()
    const { cursor } = await read(world)
    await world.repository.commit({ 'changed.md': '2', 'moved.md': 'same', 'kept.md': 'kept', 'brief.md': 'brief' })
    await world.sync()
    const commit = await world.repository.commit({
      'changed.md': '3',
      'new.md': 'same',
      'kept.md': 'kept',
      'added.md': 'added',
    })
    await world.sync()

    const { changes } = await read(world, cursor)

    expect(changes.map(({ seq, ...rest }) => rest)).toEqual([
      { change: 'delete', pageId: ids['gone.md'], path: 'gone.md', commit: expect.any(String) },
      { change: 'rename', pageId: ids['old.md'], path: 'new.md', from: 'old.md', commit },
      { change: 'add', pageId: expect.any(String), path: 'added.md', commit },
      { change: 'update', pageId: ids['changed.md'], path: 'changed.md', commit },
      // A reader may have had it, and been killed before it kept its cursor.
      { change: 'delete', pageId: expect.any(String), path: 'brief.md', commit },
    ])
  })

  test('tell pages that have swapped their paths, and one that came back to its own as updated', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': '# One', 'b.md': '# Two', 'c.md': '# Three' })
    await world.sync()
    const [ids, { cursor }] = [await world.ids(), await read(world)]
    await world.repository.commit({ 'a.md': '# Two', 'b.md': '# One', 'd.md': '# Three' })
    await world.sync()
    await world.repository.commit({ 'a.md': '# Two', 'b.md': '# One', 'c.md': '# Three' })
    await world.sync()

    const { changes } = await read(world, cursor)

    expect(changes.map(({ change, pageId, path, from }) => [change, pageId, path, from])).toEqual([
      ['rename', ids['b.md'], 'a.md', 'b.md'],
      ['rename', ids['a.md'], 'b.md', 'a.md'],
      ['update', ids['c.md'], 'c.md', undefined],
    ])
  })

  test('name the path that the reader knows of a page that was renamed and deleted since', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'a', 'b.md': 'b' })
    await world.sync()
    const { cursor } = await read(world)
    await world.repository.commit({ 'z.md': 'a', 'b.md': 'b' })
    await world.sync()
    await world.repository.commit({ 'b.md': 'b' })
    await world.sync()
    expect(brief(await read(world, cursor))).toEqual([['delete', 'a.md']])
  })

  test('with content are what each page holds', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': '---\ntags: [x]\n---\n# A\n\n[b](b.md)', 'b.md': '# B' })
    await world.sync()
    const { changes } = await readChanges(world.db, 'docs', { content: true })
    expect(changes[0]!.page).toEqual({
      title: 'A',
      frontmatter: { tags: ['x'] },
      content: '# A\n\n[b](b.md)',
      blobOid: (await world.pages())['a.md'],
      chunks: [{ headingPath: ['A'], content: '# A\n\n[b](b.md)' }],
      links: [{ target: 'b.md', path: 'b.md' }],
    })
    expect(changes[1]!.page).toMatchObject({ title: 'B', links: [] })
  })

  test('of a file that cannot be stored any more are that its page is gone', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'a', 'b.md': 'b' })
    await world.sync()
    const { cursor } = await read(world)
    await world.repository.commit({ 'a.md': 'a\0', 'b.md': 'b' })
    await world.sync()
    expect(brief(await read(world, cursor))).toEqual([['delete', 'a.md']])
  })

  test('of a full sync are all pages', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'a', 'b.md': 'b' })
    await world.sync()
    const { cursor } = await read(world)
    await world.sync({ full: true })
    expect(brief(await read(world, cursor))).toEqual([
      ['update', 'a.md'],
      ['update', 'b.md'],
    ])
  })

  test('come list after list as long as the reader asks for', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit(Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`${i}.md`, String(i)])))
    await world.sync()
    const lists: number[] = []
    for (let after = '0'; ; ) {
      const { changes, cursor } = await readChanges(world.db, 'docs', { after, limit: 4 })
      lists.push(changes.length)
      if (changes.length === 0) break
      after = cursor
    }
    expect(lists).toEqual([4, 4, 2, 0])
    expect((await readChanges(world.db, 'docs', { limit: 0 })).changes).toHaveLength(1)
  })

  test('are the same in SQL', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'same', 'b.md': 'b', 'c.md': 'c' })
    await world.sync()
    await world.repository.commit({ 'z.md': 'same', 'b.md': 'b2' })
    await world.sync()
    const { rows } = await world.db.query(
      `SELECT change, path, from_path FROM tidemark.changes WHERE source_id = 'docs' AND seq > 0 ORDER BY seq`,
    )
    expect(rows).toEqual(
      [
        { change: 'rename', path: 'z.md', from_path: 'a.md' },
        { change: 'delete', path: 'c.md', from_path: null },
        { change: 'update', path: 'b.md', from_path: null },
      ].sort((a, b) => rows.findIndex(({ path }) => path === a.path) - rows.findIndex(({ path }) => path === b.path)),
    )
  })
})

describe.each(engines)('a cursor in %s', (engine) => {
  test('is refused where it is none', async () => {
    await using world = await testWorld({ engine })
    for (const after of ['', '-1', 'x', '1.5', '12345678901234567', '1-', '1-x'])
      await expect(read(world, after)).rejects.toMatchObject({ code: 'BAD_CURSOR' })
  })

  test('of a source that was never synced is 0', async () => {
    await using world = await testWorld({ engine })
    expect(await read(world)).toEqual({ changes: [], cursor: '0' })
  })

  test('has expired when something that was deleted since is forgotten, and not before', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'a', 'b.md': 'b', 'c.md': 'c' })
    await world.sync()
    const { cursor } = await read(world)
    await world.repository.commit({ 'b.md': 'b', 'c.md': 'c' })
    await world.sync()
    const { cursor: later } = await read(world, cursor)
    await world.repository.commit({ 'c.md': 'c' })
    await world.sync()
    await world.db.query(
      `UPDATE tidemark.deleted_pages SET deleted_at = now() - interval '31 days' WHERE path = 'a.md'`,
    )

    expect(await pruneChanges(world.db, 'docs')).toBe(1)

    await expect(read(world, cursor)).rejects.toMatchObject({
      code: 'CURSOR_EXPIRED',
      hint: expect.stringContaining('after 0'),
    })
    expect(brief(await read(world, later))).toEqual([['delete', 'b.md']])
    expect(brief(await read(world))).toEqual([
      ['add', 'c.md'],
      ['delete', 'b.md'],
    ])
    expect(await pruneChanges(world.db, 'docs')).toBe(0)
  })

  test('of a reader that has begun with nothing lasts to the end of its first lists, whatever was forgotten before', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'a', 'b.md': 'b', 'c.md': 'c', 'd.md': 'd' })
    await world.sync()
    await world.repository.commit({ 'a.md': 'a', 'b.md': 'b', 'c.md': 'c' })
    await world.sync()
    const first = await readChanges(world.db, 'docs', { limit: 1 })
    expect(await pruneChanges(world.db, 'docs', 0)).toBe(1)
    const second = await readChanges(world.db, 'docs', { limit: 1, after: first.cursor })
    expect(brief(await read(world, second.cursor))).toEqual([['add', 'c.md']])

    // But not for what is deleted while it reads.
    await world.repository.commit({ 'b.md': 'b', 'c.md': 'c' })
    await world.sync()
    await pruneChanges(world.db, 'docs', 0)
    await expect(read(world, second.cursor)).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' })
  })

  test('has expired when a rename since is forgotten', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'a', 'b.md': 'b' })
    await world.sync()
    const { cursor } = await read(world)
    await world.repository.commit({ 'z.md': 'a', 'b.md': 'b' })
    await world.sync()
    expect(await pruneChanges(world.db, 'docs', 0)).toBe(1)
    await expect(read(world, cursor)).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' })
  })

  test('of a source that was removed and added again has expired', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'a' })
    await world.sync()
    const { cursor } = await read(world)
    await removeSource(world.db, 'docs', signal)
    await expect(read(world, cursor)).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' })
    await world.repository.commit({ 'a.md': 'a', 'b.md': 'b', 'c.md': 'c' })
    await world.sync()
    await expect(read(world, cursor)).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' })
    const list = await read(world)
    expect(Number(list.cursor)).toBeGreaterThan(Number(cursor))
    expect(await read(world, list.cursor)).toMatchObject({ changes: [] })
  })

  test('of a source that was renamed has expired, also one that was read while it was', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'a', 'b.md': 'b' })
    await world.sync()
    const { cursor } = await read(world)
    let between = '0'
    const readThere = async () => {
      between = (await readChanges(world.db, 'handbook')).cursor
    }
    await renameSource(world.db, 'docs', 'handbook', { signal, onMoved: readThere })
    for (const after of [cursor, between])
      await expect(readChanges(world.db, 'handbook', { after })).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' })
    expect(brief(await readChanges(world.db, 'handbook'))).toEqual([
      ['add', 'a.md'],
      ['add', 'b.md'],
    ])
  })
})

describe.each(engines)('a sync in %s', (engine) => {
  test('forgets at its end what was deleted longer ago than it is to keep', async () => {
    await using world = await testWorld({ engine })
    const deleted = async () => (await world.db.query('SELECT path FROM tidemark.deleted_pages')).rows
    await world.repository.commit({ 'a.md': 'a', 'b.md': 'b' })
    await world.sync()
    await world.repository.commit({ 'b.md': 'b' })
    await world.sync()
    expect(await deleted()).toEqual([{ path: 'a.md' }])
    await world.db.query(`UPDATE tidemark.deleted_pages SET deleted_at = now() - interval '2 hours'`)
    await world.repository.commit({ 'b.md': 'b2' })
    await world.sync()
    expect(await deleted()).toHaveLength(1)
    await world.repository.commit({ 'b.md': 'b3' })
    await world.sync({ keepDeletedMs: 3_600_000 })
    expect(await deleted()).toEqual([])
  })
})

describe.each(allEngines)('batches of one lease that reach %s at the same time', (engine) => {
  test('are numbered in the order in which they commit, without gaps, and no reader misses a page', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'a' })
    await world.sync()
    await using lease = await world.db.locks.acquire('sync:docs')
    const page = { slug: 's', title: 't', frontmatter: '{}', content: 'c', links: [], linkKey: null, aliases: [] }
    const write = (path: string) => ({ id: null, path, blobOid: 'b', sizeBytes: 1, page: { ...page, chunks: [] } })
    const reader = follower(world)
    const batches = Array.from({ length: 30 }, async (_, i) => {
      const pages = Array.from({ length: 1 + (i % 3) }, (_, n) => write(`p${i}-${n}.md`))
      const batch = { pages, quarantined: [], deletedIds: [], quarantineCleared: [] }
      await applyBatch({ db: world.db, lease }, 'docs', encodeBatch(batch), 'c0ffee')
      await reader.step(4)
    })
    await Promise.all(batches)
    await reader.catchUp()
    expect(reader.paths()).toEqual(await world.ids())
    const seqs = (await read(world)).changes.map(({ seq }) => seq)
    expect(seqs).toEqual(seqs.map((_, i) => seqs[0]! + i))
  })
})

/** A tree in which files come, go, change and move, in cycles too. */
function nextTree(files: Map<string, string>, pick: (limit: number) => number): Record<string, string> {
  for (let n = pick(8); n >= 0; n--) {
    const paths = [...files.keys()]
    const [one, other] = [paths[pick(paths.length)], paths[pick(paths.length)]]
    const kind = pick(6)
    if (kind <= 1 || one === undefined) files.set(`p${pick(60)}.md`, `# ${pick(1e6)}`)
    else if (kind === 2) files.delete(one)
    else if (kind === 3) files.set(one, `# ${pick(1e6)}`)
    else {
      const [text, otherText] = [files.get(one)!, files.get(other!)!]
      if (kind === 4) files.set(one, otherText).set(other!, text)
      else files.delete(one) && files.set(`p${pick(60)}.md`, text)
    }
  }
  return Object.fromEntries(files)
}

describe.each(engines)('a reader of %s', { timeout: 240_000 }, (engine) => {
  test.each([1, 2, 3])(
    'that is killed at random, as the syncs are, ends with the pages of the mirror (%i)',
    async (seed) => {
      await using world = await testWorld({ engine })
      const random = seededRandom(seed)
      const pick = (limit: number) => Math.floor(random() * limit)
      const files = new Map<string, string>([['first.md', '# first']])
      const [reader, slow] = [follower(world), follower(world)]
      for (let round = 0; round < 40; round++) {
        await world.repository.commit(nextTree(files, pick))
        const stop = new AbortController()
        // In a statement of its own choice.
        let left = pick(12)
        const query: typeof world.db.query = async (text, params, signal) => {
          if (left-- === 0) stop.abort(new Error('enough'))
          return world.db.query(text, params, signal)
        }
        const source = { id: 'docs', repo: world.repository.folder, ref: 'main' }
        const options = { signal: stop.signal, search: false, full: pick(10) === 0, allowMassDelete: true }
        await syncSource({ ...world.db, query }, source, options)
        for (let n = pick(4); n > 0; n--) await reader.step(1 + pick(9), pick(3) === 0)
        if (pick(5) === 0) await slow.step(1 + pick(30))
        if (pick(6) === 0) await pruneChanges(world.db, 'docs', 0)
      }
      await world.sync({ search: false, allowMassDelete: true })
      await Promise.all([reader.catchUp(3), slow.catchUp()])
      const ids = await world.ids()
      expect(Object.keys(ids).sort()).toEqual([...files.keys()].sort())
      expect(reader.paths()).toEqual(ids)
      expect(slow.paths()).toEqual(ids)
    },
  )
})
