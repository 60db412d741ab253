import type { Lease } from '@tidemark/lock'
import { allEngines } from '@tidemark/test-engines'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { applyBatch, type Batch, encodeBatch } from '../../src/store/apply-batch.ts'
import { deleteOrphans } from '../../src/store/delete-orphans.ts'
import { deleteSource } from '../../src/store/delete-source.ts'
import { claimTexts } from '../../src/store/embeddings/claim-texts.ts'
import { storeEmbeddings } from '../../src/store/embeddings/store-embeddings.ts'
import type { Fenced } from '../../src/store/fenced-query.ts'
import { finishSource } from '../../src/store/finish-source.ts'
import { recordUnfinishedRun } from '../../src/store/record-unfinished-run.ts'
import {
  beginIndex,
  finishIndex,
  prepareEntries,
  readUnindexed,
  writeEntries,
} from '../../src/store/search/index-batch.ts'
import { startRun } from '../../src/store/start-run.ts'
import { type TestWorld, testWorld } from '../world/test-world.ts'

type Statement = (fenced: Fenced, ids: { readonly page: string; readonly run: string }) => unknown

const about = {
  id: 'docs',
  repo: 'other',
  ref: 'other',
  fingerprint: 'other',
  settings: 'other',
  language: 'english',
  linkRoot: '',
}
const page = { slug: 's', title: 't', frontmatter: '{}', content: 'c', links: [], linkKey: null, aliases: [] }
const chunks = [{ headingPath: [], content: 'c' }]
const writeOf = (id: string | null, path: string) => ({
  id,
  path,
  blobOid: 'b',
  sizeBytes: 1,
  page: { ...page, chunks },
})
const COMMIT = 'c0ffee'
const write = (fenced: Fenced, batch: Batch) => applyBatch(fenced, 'docs', encodeBatch(batch), COMMIT)
const nothing = { pages: [], quarantined: [], deletedIds: [], quarantineCleared: [] }
const toIndex = { sourceId: 'docs', language: 'english', paths: null }
const vectors = { model: 'm', dimensions: 1, embedded: [{ hash: 'aa', vector: [1] }], rejected: [] }

/** Every statement that a run writes with, each with all of its parts. */
const STATEMENTS: Record<string, Statement> = {
  'the start of a run': (fenced) => startRun(fenced, about, { from: null, to: 'other', full: true }),
  'a batch that adds': (fenced) => write(fenced, { ...nothing, pages: [writeOf(null, 'new.md')] }),
  'a batch that changes': (fenced, { page }) => write(fenced, { ...nothing, pages: [writeOf(page, 'moved.md')] }),
  'a batch that deletes': (fenced, { page }) => write(fenced, { ...nothing, deletedIds: [page] }),
  'a batch that sets aside': (fenced) =>
    write(fenced, { ...nothing, quarantined: [{ path: 'q.md', blobOid: 'b', code: 'nul', message: 'm' }] }),
  'a batch that ends a quarantine': (fenced) => write(fenced, { ...nothing, quarantineCleared: ['bad.md'] }),
  'the end of a run': (fenced, { run }) =>
    finishSource(fenced, about, { id: run, commit: 'other', status: 'synced', counts: {}, nothingSelected: 'n' }),
  'the removal of orphans': (fenced) => deleteOrphans(fenced, 'docs', () => {}),
  'the removal of a source': (fenced) => deleteSource(fenced, 'docs'),
  'a batch of the search index': async (fenced) => {
    const batch = await readUnindexed(fenced.db, toIndex, '0', 9)
    await writeEntries(fenced, toIndex, await prepareEntries(batch!, String))
  },
  'the beginning of the search index': (fenced) => beginIndex(fenced, toIndex),
  'the end of the search index': (fenced) => finishIndex(fenced, { ...toIndex, language: 'german' }, null),
  'a claim of texts': async (fenced) => {
    for await (const _ of claimTexts(fenced, 'docs', 'm', 9));
  },
  'a batch of embeddings': (fenced) => storeEmbeddings(fenced, 'text', vectors),
  'a text that is refused': (fenced) =>
    storeEmbeddings(fenced, 'text', { ...vectors, embedded: [], rejected: [{ hash: 'aa', message: 'm' }] }),
}

/** Every row of the schema but those of the leases. */
async function rows({ db }: TestWorld): Promise<unknown> {
  const tables = await db.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'tidemark'::regnamespace AND relkind = 'r' AND relname <> 'locks'`,
  )
  const read = ({ name }: { name: string }) =>
    db.query(`SELECT to_jsonb(t) AS row FROM tidemark.${name} AS t ORDER BY to_jsonb(t)::text`)
  return Promise.all(tables.rows.map(async (table) => [table.name, (await read(table)).rows]))
}

/** A source with a page, a file in quarantine, an orphan, a search index that lacks the page, and room for embeddings. */
async function preparedWorld(engine: (typeof allEngines)[number]) {
  const world = await testWorld({ engine })
  await world.repository.commit({ 'a.md': '# A\n\n[b](b.md)', 'bad.md': 'bad\0' })
  await world.sync({ search: false })
  await world.db.query(`INSERT INTO tidemark.chunks VALUES ('docs', 9999, 0, '{}', 'orphan', '\\x00')`)
  await world.db.query(`CREATE TABLE tidemark.embeddings
    (model text NOT NULL, content_hash bytea NOT NULL, embedding text NOT NULL, PRIMARY KEY (model, content_hash))`)
  await world.db.query('UPDATE tidemark.sources SET unindexed_since_run = NULL')
  const ids = await world.db.query('SELECT pages.id AS page, runs.id AS run FROM tidemark.pages, tidemark.runs')
  return { ...world, written: ids.rows[0] as { page: string; run: string } }
}

/** The lease of a holder that was broken, and that another has taken or not. */
async function loseLease({ db }: TestWorld, taken: boolean): Promise<Lease> {
  const lost = await db.locks.acquire('sync:docs')
  await db.locks.break('sync:docs', { force: true })
  if (taken) await db.locks.acquire('sync:docs')
  return lost
}

const lossOfEach = Object.entries(STATEMENTS).flatMap(([name, statement]) =>
  [false, true].map((taken) => ({ name, statement, taken, how: taken ? 'to another' : 'to nobody' })),
)

describe.each(allEngines)('in %s, of a holder that has lost its lease', (engine) => {
  test.for(lossOfEach)('$how, $name writes nothing and fails by it', async ({ statement, taken }) => {
    await using world = await preparedWorld(engine)
    const lost = await loseLease(world, taken)
    const before = await rows(world)

    const write = async () => statement({ db: world.db, lease: lost }, world.written)
    await expect(write()).rejects.toMatchObject({ code: 'LEASE_LOST' })

    expect(await rows(world)).toEqual(before)
    await world.db.locks.break('sync:docs', { force: true })
  })

  test('the end of an unfinished run is written to that run alone, not to the source', async () => {
    await using world = await preparedWorld(engine)
    const lost = await loseLease(world, false)
    const readSource = async () => (await world.db.query('SELECT * FROM tidemark.sources')).rows
    const before = await readSource()

    const fenced = { db: world.db, lease: lost }
    await recordUnfinishedRun(fenced, 'docs', world.written.run, {
      outcome: { status: 'partial', reason: 'lease_lost' },
      detail: undefined,
      counts: {},
    })

    expect(await readSource()).toEqual(before)
    expect((await world.db.query('SELECT reason FROM tidemark.runs')).rows).toEqual([{ reason: 'lease_lost' }])
  })
})

describe.each(allEngines)('in %s, of a holder that has its lease', (engine) => {
  test('the end of the search index is not recorded while a run is writing pages', async () => {
    await using world = await preparedWorld(engine)
    const { db } = world
    await using lease = await db.locks.acquire('search:docs')
    await db.query('UPDATE tidemark.sources SET dirty = true, unindexed_since_run = 7')

    await finishIndex({ db, lease }, toIndex, '7')

    const { rows } = await db.query('SELECT unindexed_since_run AS run FROM tidemark.sources')
    expect(rows).toEqual([{ run: '7' }])
  })

  test.for(Object.entries(STATEMENTS))('%s writes', async ([, statement]) => {
    await using world = await preparedWorld(engine)
    await using held = await world.db.locks.acquire('sync:docs')
    const before = await rows(world)

    await statement({ db: world.db, lease: held }, world.written)

    expect(await rows(world)).not.toEqual(before)
  })
})

test('of a holder whose batch waits for a table while another takes its key, nothing is written', async () => {
  await using world = await preparedWorld('postgres')
  const { db, url } = world
  const lost = await db.locks.acquire('sync:docs')
  const other = new pg.Client(url)
  await other.connect()
  await other.query('BEGIN; LOCK TABLE tidemark.pages')
  const batch = { ...nothing, deletedIds: [world.written.page] }
  const writing = expect(write({ db, lease: lost }, batch)).rejects.toMatchObject({
    code: 'LEASE_LOST',
  })
  const waiting = `SELECT FROM pg_locks WHERE relation = 'tidemark.pages'::regclass AND NOT granted`
  await expect.poll(async () => (await other.query(waiting)).rowCount).toBe(1)
  await db.locks.break('sync:docs', { force: true })
  await using _ = await db.locks.acquire('sync:docs')

  await other.query('COMMIT')

  await writing
  await other.end()
  expect(await world.pages()).toEqual({ 'a.md': expect.any(String) })
})
