import { engines } from '@tidemark/test-engines'
import { readContents, readSearchEntries } from '@tidemark/test-engines/contents'
import { describe, expect, test } from 'vitest'
import { type Database, listQuarantine, readRuns, readSources, renameSource, search } from '../../src/index.ts'
import { type TestWorld, testWorld } from '../world/test-world.ts'

const { signal } = new AbortController()
const rename = (db: Database, onMoved = () => {}) => renameSource(db, 'docs', 'handbook', { signal, onMoved })

const files = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}.md`, `# Page ${i}\n\n[next](p${i + 1}.md)`]))

/** The tables that hold rows of a source of that name. */
async function tablesWith(db: Database, id: string): Promise<string[]> {
  const { rows } = await db.query(`SELECT table_name AS name FROM information_schema.columns
    WHERE table_schema = 'tidemark' AND column_name = 'source_id' AND table_name IN (
      SELECT tablename FROM pg_tables WHERE schemaname = 'tidemark') ORDER BY 1`)
  const found: string[] = []
  for (const { name } of rows) {
    const { rows } = await db.query(`SELECT 1 FROM tidemark.${name} WHERE source_id = $1 LIMIT 1`, [id])
    if (rows.length > 0) found.push(name)
  }
  return found
}

/** A source with a row in every table that can have one. */
async function filled(world: TestWorld, count = 3) {
  await world.repository.commit({
    ...files(count),
    'x.md': '---\naliases: [other]\n---\n# X',
    'a.png': '',
    'bad.md': 'a\0b',
  })
  await world.sync()
}

describe.each(engines)('a source in %s that is renamed', (engine) => {
  test('keeps all that it has, and is up to date under its new name', async () => {
    await using world = await testWorld({ engine })
    await filled(world)
    await world.sync({ id: 'other' })
    const [pages, entries] = [await readContents(world.db, 'docs'), await readSearchEntries(world.db, 'docs')]
    const [ids, tables] = [await world.ids(), await tablesWith(world.db, 'docs')]

    await rename(world.db)

    expect(await readContents(world.db, 'handbook')).toEqual(pages)
    expect(await readSearchEntries(world.db, 'handbook')).toEqual(entries)
    expect(await tablesWith(world.db, 'handbook')).toEqual(tables)
    expect(await tablesWith(world.db, 'docs')).toEqual([])
    expect((await readSources(world.db)).map(({ id }) => id)).toEqual(['handbook', 'other'])
    expect(await listQuarantine(world.db, 'handbook')).toMatchObject([{ path: 'bad.md' }])
    expect(await readRuns(world.db, { source: 'handbook', limit: 9 })).toHaveLength(1)
    expect(await world.db.locks.list()).toEqual([])
    expect(await world.sync({ id: 'handbook' })).toMatchObject({ status: 'up_to_date', blobsRead: 0 })
    const { hits } = await search(world.db, 'page', { sources: ['handbook'] })
    expect(hits.map(({ path }) => path).sort()).toEqual(['p0.md', 'p1.md', 'p2.md'])
    const { rows } = await world.db.query(
      `SELECT id FROM tidemark.pages WHERE source_id = 'handbook' AND path = 'p0.md'`,
    )
    expect(rows[0].id).toBe(ids['p0.md'])
  })

  test('is not, where the new name is one of another source', async () => {
    await using world = await testWorld({ engine })
    await filled(world)
    await world.sync({ id: 'handbook' })
    await expect(rename(world.db)).rejects.toMatchObject({
      code: 'BAD_SOURCE',
      hint: expect.stringContaining('tidemark sources remove handbook --purge'),
    })
    expect(Object.keys(await world.pages())).toHaveLength(4)
  })

  test.each(['sync:docs', 'sync:handbook', 'search:docs', 'embed:docs'])('is not while another has %s', async (key) => {
    await using world = await testWorld({ engine })
    await filled(world)
    await using _ = await world.db.locks.acquire(key)
    await expect(rename(world.db)).rejects.toMatchObject({ code: 'SOURCE_BUSY', message: expect.stringContaining(key) })
    expect(await tablesWith(world.db, 'handbook')).toEqual([])
  })

  test('can be synced by nobody until what else knows it has followed', async () => {
    await using world = await testWorld({ engine })
    await filled(world)
    const statuses: string[] = []
    await renameSource(world.db, 'docs', 'handbook', {
      signal,
      async onMoved() {
        for (const id of ['docs', 'handbook']) statuses.push((await world.sync({ id, full: true })).status)
      },
    })
    expect(statuses).toEqual(['busy', 'busy'])
  })
})

describe.each(engines)('a rename in %s that is stopped', { timeout: 180_000 }, (engine) => {
  /** Fails the statement of that number that writes. */
  const failing = ({ db }: TestWorld, at: number): Database => {
    let writes = 0
    return {
      ...db,
      query: async (text, params, own) => {
        if (text.startsWith('WITH fence') && ++writes === at) throw new Error('killed')
        return db.query(text, params, own)
      },
    }
  }

  test('anywhere, goes on with the next call, and nothing is imported again', async () => {
    await using world = await testWorld({ engine })
    await filled(world, 600)
    const before = await world.digest()
    for (let at = 1; ; at++) {
      const stopped = await rename(failing(world, at)).then(
        () => false,
        () => true,
      )
      if (!stopped) break
      await rename(world.db)
      expect(await tablesWith(world.db, 'docs')).toEqual([])
      expect(await world.sync({ id: 'handbook' })).toMatchObject({ status: 'up_to_date' })
      expect(at).toBeLessThan(30)
      await renameSource(world.db, 'handbook', 'docs', { signal, onMoved: () => {} })
      expect(await world.digest()).toBe(before)
    }
  })

  test('does not hide from a sync of the new name that it is not whole', async () => {
    await using world = await testWorld({ engine })
    await filled(world, 600)
    await rename(failing(world, 3)).catch(() => {})
    expect(await world.sync({ id: 'handbook' })).toMatchObject({ status: 'synced', filesImported: 101 })
  })
})
