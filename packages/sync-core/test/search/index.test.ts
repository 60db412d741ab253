import { hostname } from 'node:os'
import { allEngines } from '@tidemark/test-engines'
import { describe, expect, test } from 'vitest'
import { readSource, readStatus, removeSource, search } from '../../src/index.ts'
import { testWorld } from '../world/test-world.ts'

const paths = async (...args: Parameters<typeof search>) => (await search(...args)).hits.map(({ path }) => path)

/** The pages that an index made from nothing would have, and what it would have of them. */
const ENTRIES = `
  SELECT path, ordinal, entry.content_hash, words FROM tidemark.search_chunks AS entry
  JOIN tidemark.pages ON pages.source_id = entry.source_id AND pages.id = page_id ORDER BY path, ordinal`

describe.each(allEngines)('the search index on %s', (engine) => {
  test('follows pages that are added, changed, renamed and deleted', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({
      'a.md': '# Apples\n\nAbout apples.',
      'b.md': '# Pears\n\nAbout pears.',
      'c.md': 'No title, only cherries.',
    })
    expect(await world.sync()).toMatchObject({ status: 'first_sync', warnings: [] })
    expect(await paths(world.db, 'apples')).toEqual(['a.md'])

    await world.repository.commit({ 'a.md': '# Quinces\n\nAbout quinces.', 'd.md': 'No title, only cherries.' })
    expect(await world.sync()).toMatchObject({ status: 'synced', filesRenamed: 1, filesDeleted: 1 })

    expect(await paths(world.db, 'apples')).toEqual([])
    expect(await paths(world.db, 'quinces')).toEqual(['a.md'])
    expect(await paths(world.db, 'pears')).toEqual([])
    expect(await paths(world.db, 'cherries')).toEqual(['d.md'])
    const followed = (await world.db.query(ENTRIES)).rows
    await world.db.query('TRUNCATE tidemark.search_pages, tidemark.search_chunks')
    await world.db.query('UPDATE tidemark.sources SET unindexed_since_run = 0')
    await world.sync()
    expect(followed).toEqual((await world.db.query(ENTRIES)).rows)
  })

  test('that an import has left no time for is caught up by a later run that finds nothing new', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'Apples.', 'b.md': 'Pears.' })
    await world.sync({ search: false })
    expect(await paths(world.db, 'apples')).toEqual([])

    expect(await world.sync()).toMatchObject({ status: 'up_to_date' })

    expect(await paths(world.db, 'apples')).toEqual(['a.md'])
  })

  test('is told as incomplete while it has pages as they were before', async () => {
    await using world = await testWorld({ engine })
    const index = async () => (await readStatus(world.db, ['docs']))[0]!.index
    await world.repository.commit({ 'a.md': 'Apples.', 'b.md': 'Pears.' })
    await world.sync()
    await world.repository.commit({ 'a.md': 'Quinces.', 'b.md': 'Pears.' })
    await world.sync({ search: false })
    expect(await index()).toEqual({ pages: 2, indexed: 1 })
    await world.sync()
    expect(await index()).toBeNull()
  })

  test('tells how many pages it has, while it is written', async () => {
    await using world = await testWorld({ engine })
    const files = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`${i}.md`, `# Page ${i}`]))
    await world.repository.commit(files)
    const indexed: number[] = []
    await world.sync({ onProgress: ({ phase, done }) => phase === 'search' && indexed.push(done) })
    expect(indexed[0]).toBe(0)
    expect(indexed.at(-1)).toBe(40)
    expect(indexed.length).toBeGreaterThan(2)
    expect(indexed).toEqual(indexed.toSorted((a, b) => a - b))
  })

  test('is gone through no more than once: a run that finds it complete takes no lease', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'Apples.' })
    await world.sync()
    const tokens = async () => (await world.db.query('SELECT key, token FROM tidemark.locks ORDER BY key')).rows
    const before = await tokens()

    expect(await world.sync()).toMatchObject({ status: 'up_to_date' })

    expect(await tokens()).toEqual(before)
  })

  test('is filled in pieces by runs whose budget ends in the middle, and nothing is written twice', async () => {
    await using world = await testWorld({ engine })
    const files = Object.fromEntries(
      Array.from({ length: 400 }, (_, i) => [`${i}.md`, `# Page ${i}\n\n${`word${i} `.repeat(300)}`]),
    )
    await world.repository.commit(files)
    await world.sync({ search: false })
    await world.db.query('CREATE TABLE indexed (page_id bigint)')
    await world.db.query(`CREATE FUNCTION note_indexed() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN INSERT INTO indexed VALUES (NEW.page_id); RETURN NEW; END $$`)
    await world.db.query(`CREATE TRIGGER note AFTER INSERT OR UPDATE ON tidemark.search_pages
      FOR EACH ROW EXECUTE FUNCTION note_indexed()`)
    try {
      // A lease that a run has given up on its way is released a moment later: the next may find it taken, and warns not.
      for (let complete = false; !complete; ) {
        const result = await world.sync({ budgetMs: 80 })
        expect(['search_behind', undefined]).toContain(result.warnings[0]?.code)
        const { rows } = await world.db.query('SELECT unindexed_since_run IS NULL AS complete FROM tidemark.sources')
        complete = rows[0]!.complete
      }
      const { rows } = await world.db.query(
        'SELECT count(*)::integer AS writes, count(DISTINCT page_id)::integer AS pages FROM indexed',
      )
      expect(rows).toEqual([{ writes: 400, pages: 400 }])
      expect(await paths(world.db, 'word399')).toEqual(['399.md'])
    } finally {
      await world.db.query('DROP TRIGGER note ON tidemark.search_pages')
      await world.db.query('DROP FUNCTION note_indexed')
      await world.db.query('DROP TABLE indexed')
    }
  })

  test('is left to another process that is at it, which the run says and is not held up by', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'Apples.' })
    await using _ = await world.db.locks.acquire('search:docs')

    const { status, warnings } = await world.sync()
    expect(status).toBe('first_sync')
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringContaining(`process ${process.pid} on ${hostname()} writes it`),
    ])

    expect(await paths(world.db, 'apples')).toEqual([])
  })

  test('takes words as they are said in the language of the source', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'Die Häuser am Fluss.' })
    await world.sync({ language: 'english' })
    expect(await paths(world.db, 'Haus')).toEqual([])

    await world.sync({ language: 'german' })

    expect(await paths(world.db, 'Haus')).toEqual(['a.md'])
  })

  test('takes words as they stand where Postgres has no dictionary for the language', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': '水 is water.' })

    expect(await world.sync({ language: 'japanese' })).toMatchObject({ status: 'first_sync', warnings: [] })

    expect(await paths(world.db, '水')).toEqual(['a.md'])
    expect(await world.sync({ language: 'japanese' })).toMatchObject({ status: 'up_to_date' })
  })

  test.each(['', '\x1E', '\x1E\x1E', 'NULL', '"', '\\', '{', ',', '\n'])(
    'takes each page by its own words beside one that has nothing but %j',
    async (odd) => {
      await using world = await testWorld({ engine })
      await world.repository.commit({
        'a.md': `# Apples ${odd} one\n\nRed ${odd} ones.\n\n## Green ${odd}\n\nSour ${odd} ones.`,
        'b.md': odd,
        'c.md': `# ${odd}`,
        'd.md': `# Pears\n\n${odd}\n\n## Late ones\n\nSweet.`,
      })
      expect(await world.sync()).toMatchObject({ filesImported: 4, warnings: [] })
      const found = async (query: string) => {
        const sql = `SELECT path, ordinal FROM tidemark.search_chunks AS entry JOIN tidemark.pages ON id = page_id
          WHERE words @@ to_tsquery('english', $1) ORDER BY path, ordinal`
        return (await world.db.query<{ path: string; ordinal: number }>(sql, [query])).rows
      }
      expect(await found('apples:A & red:D')).toEqual([{ path: 'a.md', ordinal: 0 }])
      expect(await found('apples:A & green:B & sour:D')).toEqual([{ path: 'a.md', ordinal: 1 }])
      expect(await found('b:A')).toEqual([{ path: 'b.md', ordinal: 0 }])
      expect(await found('pears:A & !late')).toEqual([{ path: 'd.md', ordinal: 0 }])
      expect(await found('pears:A & late:B & sweet:D')).toEqual([{ path: 'd.md', ordinal: 1 }])
      expect(await found('red | sour | sweet')).toHaveLength(3)
    },
  )

  test('is gone through to its end where chunks were removed by hand', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'Apples.\n\n# Late ones\n\nPears.' })
    await world.sync({ search: false })
    await world.db.query('DELETE FROM tidemark.chunks WHERE ordinal = 0')
    expect(await world.sync()).toMatchObject({ warnings: [] })
    expect(await paths(world.db, 'pears')).toEqual(['a.md'])
    expect((await search(world.db, 'pears')).warnings).toEqual([])
  })

  test('has a page without text that is the only one, also where its name has no words', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'apples.md': '' })
    expect(await world.sync()).toMatchObject({ filesImported: 1, warnings: [] })
    expect(await paths(world.db, 'apples')).toEqual(['apples.md'])
    await world.repository.commit({ '!.md': '' })
    expect(await world.sync()).toMatchObject({ filesRenamed: 1, warnings: [] })
  })

  test('goes with its source', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'Apples.' })
    await world.sync()

    await removeSource(world.db, 'docs', AbortSignal.timeout(10_000))

    expect(await readSource(world.db, 'docs')).toBeNull()
    const { rows } = await world.db.query('SELECT * FROM tidemark.search_chunks')
    expect(rows).toEqual([])
  })

  test('that cannot be written leaves the sync as it is, and says so', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'Apples.' })
    await world.db.query('ALTER FUNCTION tidemark.dictionary_for RENAME TO away')
    try {
      expect(await world.sync()).toMatchObject({
        status: 'first_sync',
        warnings: [{ code: 'search_behind' }],
      })
    } finally {
      await world.db.query('ALTER FUNCTION tidemark.away RENAME TO dictionary_for')
    }
  })
})
