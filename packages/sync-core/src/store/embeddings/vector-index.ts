/**
 * The index of a set's vectors: HNSW, built once the set is complete, because filled row by row it takes several times
 * as long. A build holds up what writes embeddings, and nothing that reads. It is all or nothing: what cuts it loses it.
 */
import { createHash } from 'node:crypto'
import { setInterval } from 'node:timers/promises'
import type { Database } from '../../database/database.ts'
import { readRows } from '../read-rows.ts'
import { type EmbeddingSet, readModels } from './models.ts'
import { vectorSpace } from './vector-space.ts'

/** What a set has of an index; `impossible` says why it can have none. */
export type VectorIndex =
  | { readonly status: 'built' }
  | { readonly status: 'impossible'; readonly impossible: string }
  /** One that is not valid is in its place where a CREATE INDEX CONCURRENTLY is under way, or has failed. */
  | ({ readonly status: 'missing'; readonly invalid: boolean } & IndexBuild)

export interface IndexBuild {
  readonly name: string
  readonly table: string
  /** What follows `CREATE INDEX … ON <table>`. */
  readonly definition: string
  /** As `maintenance_work_mem` takes it; null where the server has set enough. */
  readonly memory: string | null
}

/** The set, as far as its index goes by it. */
type IndexedSet = Pick<EmbeddingSet, 'model' | 'dimensions'>

/** The index of a set, or how it is built. */
export async function readVectorIndex(db: Database, { model, dimensions }: IndexedSet): Promise<VectorIndex> {
  const { index, cast } = await vectorSpace(db, dimensions)
  if ('impossible' in index) return { status: 'impossible', ...index }
  const name = `embeddings_${createHash('sha256').update(model).digest('hex').slice(0, 16)}`
  const { valid, literal, vectors, memory: set } = (await db.query(READ_INDEX, [`tidemark.${name}`, model])).rows[0]!
  if (valid) return { status: 'built' }
  const needed = Math.min(Math.ceil((vectors * (dimensions * BYTES_PER_NUMBER + BYTES_PER_NODE)) / 1024), MAX_MEMORY_KB)
  const definition = `USING hnsw ((${cast('embedding')}) ${index.operatorClass}) WHERE model = ${literal}`
  const memory = needed > set ? `${needed}kB` : null
  return { status: 'missing', invalid: valid === false, name, table: 'tidemark.embeddings', definition, memory }
}

const BYTES_PER_NUMBER = 4
/** What the graph takes beside the vector itself: its neighbours on each level. */
const BYTES_PER_NODE = 1_500
/** A server that holds so many vectors has that; of more, a part of the graph is built on its disk. */
const MAX_MEMORY_KB = 1024 * 1024

const READ_INDEX = /* sql */ `
SELECT (SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)) AS valid,
  quote_literal($2) AS literal,
  (SELECT count(*)::integer FROM tidemark.embeddings WHERE model = $2) AS vectors,
  (SELECT setting::integer FROM pg_settings WHERE name = 'maintenance_work_mem') AS memory`

/** The statements that build the indexes which complete sets lack, for someone else to run. Reads only. */
export async function pendingIndexes(db: Database): Promise<string[]> {
  const statements: string[] = []
  for (const set of await readModels(db)) {
    if (set.completedAt === null) continue
    const index = await readVectorIndex(db, set)
    if (index.status !== 'missing') continue
    if (index.memory !== null) statements.push(`SET maintenance_work_mem = '${index.memory}'`)
    if (index.invalid) statements.push(`DROP INDEX tidemark.${index.name}`)
    statements.push(createSql(index))
  }
  return statements.length === 0 ? [] : ['SET statement_timeout = 0', ...statements]
}

const createSql = ({ name, table, definition }: IndexBuild) =>
  `CREATE INDEX IF NOT EXISTS ${name} ON ${table} ${definition}`

/**
 * Creates an index once: of two at it, Postgres would let one fail after all its work; it waits here instead. One
 * that is not valid is made anew, but not while someone is still building it, whom the lock on the table waits for.
 */
export async function createIndex(db: Database, build: IndexBuild): Promise<void> {
  const { name, table, memory } = build
  const schema = table.includes('.') ? table.replace(/[^.]*$/, '') : ''
  // The tag is the name, which stands in no definition.
  await db.query(`DO $${name}$ BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('tidemark.${name}', 0));
    LOCK TABLE ${table} IN SHARE MODE;
    IF EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('${schema}${name}') AND NOT indisvalid) THEN
      DROP INDEX ${schema}${name};
    END IF;
    ${memory === null ? '' : `PERFORM set_config('maintenance_work_mem', '${memory}', true);`}
    BEGIN
      ${createSql(build)};
    -- Several processes at it need that memory as shared memory, of which a container has little: one needs none.
    EXCEPTION WHEN disk_full OR out_of_memory THEN
      PERFORM set_config('max_parallel_maintenance_workers', '0', true);
      ${createSql(build)};
    END;
  END $${name}$`)
}

/** How far the server is with an index of the vectors, whoever builds it, in parts of the table. */
export type BuildProgress = Readonly<Record<'done' | 'total', number>>

/** Short beside any stall timeout, long beside what looking takes. */
const POLL_MS = 1_000

/** Calls back whenever the server has moved on with an index of the vectors, until the signal. */
export async function watchIndexBuild(
  db: Database,
  signal: AbortSignal,
  onMove: (progress: BuildProgress) => void,
): Promise<void> {
  // One session has no one else to ask.
  if (db.engine === 'pglite') return
  let last = ''
  try {
    for await (const _ of setInterval(POLL_MS, undefined, { signal })) {
      const [row] = await readRows(db, READ_PROGRESS, [], signal)
      const seen = JSON.stringify(row)
      if (row && seen !== last) onMove({ done: row.done, total: row.total })
      last = seen
    }
  } catch {
    // The end of the build, or a fault that it meets too.
  }
}

const READ_PROGRESS = /* sql */ `
SELECT pid, phase, tuples_done, blocks_done::double precision AS done, blocks_total::double precision AS total
FROM pg_stat_progress_create_index WHERE relid = 'tidemark.embeddings'::regclass AND datname = current_database()
ORDER BY pid LIMIT 1`
