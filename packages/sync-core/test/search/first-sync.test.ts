import { allEngines } from '@tidemark/test-engines'
import { describe, expect, test } from 'vitest'
import { type Progress, type SearchResult, search } from '../../src/index.ts'
import { type TestWorld, testWorld } from '../world/test-world.ts'

const PAGES = 3_000
const servers = allEngines.filter((engine) => engine !== 'pglite')

/** A repository of many pages, and a database whose pages come in slowly. */
async function slowWorld(engine: (typeof allEngines)[number], perBatch: string) {
  const world = await testWorld({ engine })
  const pages = Array.from({ length: PAGES }, (_, i) => [`${i}.md`, `# Page ${i}\n\nAbout apples and word${i}.`])
  await world.repository.commit(Object.fromEntries(pages))
  await world.db.query(`CREATE FUNCTION import_slowly() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN ${perBatch}; RETURN NULL; END $$`)
  await world.db.query(`CREATE TRIGGER slowly AFTER INSERT ON tidemark.pages
    FOR EACH STATEMENT EXECUTE FUNCTION import_slowly()`)
  const drop = async () => {
    await world.db.query('DROP TRIGGER slowly ON tidemark.pages')
    await world.db.query('DROP FUNCTION import_slowly')
  }
  return { ...world, [Symbol.asyncDispose]: () => drop().finally(() => world[Symbol.asyncDispose]()) }
}

/** How many pages a search for what all of them have would find. */
async function countFound({ db }: TestWorld): Promise<number> {
  const sql = `SELECT count(*)::integer AS found FROM tidemark.search_chunks WHERE words @@ 'appl'`
  return (await db.query(sql)).rows[0]!.found
}

/** Waits, in a statement that writes pages, until it is let in. */
const WAIT = `PERFORM nextval('public.batch');
  WHILE currval('public.batch') > (SELECT batches FROM public.let_in) LOOP PERFORM pg_sleep(0.005); END LOOP`
/** What a batch waits for by itself may wait for that batch. */
const LET_IN_AFTER_MS = 2_000
const TOLD = /^the first sync of docs is not done: ([\d,]+) of the [\d,]+ pages that are in can be found$/

/** How many pages a search says can be found; null where it says nothing of that kind. */
function told({ warnings }: SearchResult): number | null {
  const number = TOLD.exec(warnings[0]?.message ?? '')?.[1]
  return number === undefined ? null : Number(number.replace(',', ''))
}

/** Searches again and again until the work is done, and lets the next batches of pages in when more is found. */
async function searchMeanwhile(world: TestWorld, work: Promise<unknown>): Promise<SearchResult[]> {
  const results: SearchResult[] = []
  let done = false
  work.finally(() => {
    done = true
  })
  let [before, letInAt] = [-1, 0]
  while (!done) {
    const result = await search(world.db, 'apples')
    results.push(result)
    const found = told(result) ?? 0
    if (found === before && performance.now() < letInAt + LET_IN_AFTER_MS) continue
    // Batches that wait are small ones.
    const more = found === before ? 'batches + 1' : '2 * batches + 1'
    ;[before, letInAt] = [found, performance.now()]
    await world.db.query(`UPDATE public.let_in SET batches = ${more}`)
  }
  return results
}

describe.each(servers)('during a first sync, on %s', (engine) => {
  test('what is in is found, more and more, and a search says how much that is', async () => {
    await using world = await slowWorld(engine, WAIT)
    await world.db.query('CREATE SEQUENCE public.batch; CREATE TABLE public.let_in AS SELECT 0 AS batches')
    const syncing = world.sync()
    const found = await searchMeanwhile(world, syncing)
    await world.db.query('DROP SEQUENCE public.batch; DROP TABLE public.let_in')
    expect(await syncing).toMatchObject({ status: 'first_sync', filesImported: PAGES, warnings: [] })

    const warned = found.flatMap(({ hits, warnings }) => (hits.length > 0 ? warnings : []))
    expect(warned).toContainEqual({ code: 'incomplete', message: expect.stringMatching(TOLD) })
    const counts = found.flatMap((result) => (result.hits.length > 0 ? [told(result) ?? PAGES] : []))
    expect(counts).toEqual(counts.toSorted((a, b) => a - b))
    expect(new Set(counts).size).toBeGreaterThan(2)
    expect((await search(world.db, 'apples')).warnings).toEqual([])
    expect(await countFound(world)).toBe(PAGES)
  })

  test('no entry is written twice', async () => {
    await using world = await slowWorld(engine, 'PERFORM pg_sleep(0.02)')
    await world.db.query('CREATE TABLE public.indexed (page_id bigint)')
    await world.db.query(`CREATE FUNCTION note_indexed() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN INSERT INTO public.indexed VALUES (NEW.page_id); RETURN NEW; END $$`)
    await world.db.query(`CREATE TRIGGER note AFTER INSERT OR UPDATE ON tidemark.search_pages
      FOR EACH ROW EXECUTE FUNCTION note_indexed()`)
    try {
      await world.sync()
      const { rows } = await world.db.query(
        'SELECT count(*)::integer AS writes, count(DISTINCT page_id)::integer AS pages FROM public.indexed',
      )
      expect(rows).toEqual([{ writes: PAGES, pages: PAGES }])
    } finally {
      await world.db.query('DROP TRIGGER note ON tidemark.search_pages')
      await world.db.query('DROP FUNCTION note_indexed')
      await world.db.query('DROP TABLE public.indexed')
    }
  })

  test('that fails on its way nothing goes on to be indexed, and what is in is found', async () => {
    await using world = await slowWorld(
      engine,
      `IF (SELECT count(*) FROM tidemark.pages) > 1000 THEN RAISE 'no space left' USING ERRCODE = '53100'; END IF; PERFORM pg_sleep(0.05)`,
    )
    expect(await world.sync()).toMatchObject({ status: 'failed' })
    expect(await world.db.locks.list()).toEqual([])
    expect(await countFound(world)).toBeGreaterThan(0)
  })

  test('whose index another process is at when it begins is indexed when all is in', async () => {
    await using world = await slowWorld(engine, 'PERFORM pg_sleep(0.02)')
    const other = await world.db.locks.acquire('search:docs')
    let released: Promise<unknown> | undefined
    const releaseAtHalf = ({ phase, done }: Progress) => {
      if (phase === 'apply' && done > PAGES / 2) released ??= other.release()
    }
    expect(await world.sync({ onProgress: releaseAtHalf })).toMatchObject({ status: 'first_sync', warnings: [] })
    await released
    expect(await countFound(world)).toBe(PAGES)
  })

  test('that is stopped goes on to be indexed by the next run', async () => {
    await using world = await slowWorld(engine, 'PERFORM pg_sleep(0.02)')
    const stop = new AbortController()
    const stopAtHalf = ({ phase, done }: Progress) => phase === 'apply' && done > PAGES / 2 && stop.abort()
    expect(await world.sync({ signal: stop.signal, onProgress: stopAtHalf })).toMatchObject({
      status: 'partial',
      warnings: [],
    })
    expect(await world.db.locks.list()).toEqual([])

    expect(await world.sync()).toMatchObject({ status: 'first_sync', warnings: [] })

    expect(await countFound(world)).toBe(PAGES)
  })
})

describe.each(allEngines)('a search on %s', (engine) => {
  test('says of a source whose pages have changed that some are found as they were', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'Apples.' })
    await world.sync()
    await world.repository.commit({ 'a.md': 'Pears.' })
    await world.sync({ search: false })
    expect((await search(world.db, 'apples')).warnings).toEqual([
      {
        code: 'incomplete',
        message: 'the search index of docs is not complete: some pages are found as they were before',
      },
    ])
  })

  test('says of a first sync that is not done how much is in, where all of that can be found', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'Apples.' })
    await world.sync()
    await world.db.query('UPDATE tidemark.sources SET bookmark = NULL, unindexed_since_run = 1')
    expect((await search(world.db, 'apples')).warnings).toEqual([
      {
        code: 'incomplete',
        message: 'the first sync of docs is not done: 1 of the 1 pages that are in can be found',
      },
    ])
  })

  test('counts no further than ten thousand pages that can be found, and says that there are more', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'Apples.' })
    await world.sync()
    await world.db.query('UPDATE tidemark.sources SET bookmark = NULL, unindexed_since_run = 1')
    const fill = (last: number) =>
      world.db.query(
        `INSERT INTO tidemark.search_pages SELECT 'docs', n, md5(n::text)::uuid FROM generate_series(1, $1::integer) AS n
        ON CONFLICT DO NOTHING`,
        [last],
      )
    const message = async () => (await search(world.db, 'apples')).warnings[0]!.message
    await fill(9_990)
    expect(await message()).toMatch(/: 9,99[01] of the 1 pages that are in can be found$/)
    await fill(10_010)
    expect(await message()).toBe('the first sync of docs is not done: more than 10,000 pages can be found, and not all')
  })

  test('says how much of a source that was not indexed to the end can be found', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'Apples.' })
    await world.sync()
    await world.repository.commit({ 'a.md': 'Apples.', 'b.md': 'Pears.', 'c.md': 'Quinces.' })
    await world.sync({ search: false })
    expect((await search(world.db, 'apples')).warnings).toMatchObject([
      { message: 'the search index of docs is not complete: 1 of the 3 pages that are in can be found' },
    ])
    expect((await search(world.db, 'apples', { sources: ['other'] })).warnings).toEqual([])
  })
})
