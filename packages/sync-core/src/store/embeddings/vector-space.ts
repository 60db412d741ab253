import type { Database } from '../../database/database.ts'
import { SyncError } from '../../sync-error.ts'

/** How vectors of one length are written in SQL, wherever pgvector is installed. */
export interface VectorSpace {
  /** The type without a length. */
  readonly type: string
  /** An expression as a vector of that length. */
  cast(expression: string): string
  /** Cosine distance. */
  readonly operator: string
  /** For an HNSW index; null where vectors are too long for one. */
  readonly operatorClass: string | null
}

/** The longest vectors that pgvector 0.7 and newer index, whole and in half precision. */
const MAX_INDEXED_DIMENSIONS = 2_000
const MAX_INDEXED_HALF_DIMENSIONS = 4_000

/** The schema that pgvector is installed in, as SQL writes it; null where it is not. */
const VECTOR_SCHEMA = /* sql */ `
(SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace AS n ON n.oid = extnamespace WHERE extname = 'vector')`

/** @throws {SyncError} `VECTOR_MISSING` where the database has no pgvector. */
export async function vectorSpace(db: Database, dimensions: number): Promise<VectorSpace> {
  const schema: string | null = (await db.query(`SELECT ${VECTOR_SCHEMA} AS schema`)).rows[0]!.schema
  if (schema === null) throw vectorMissingError(db, 'Run: tidemark embed --all')
  const kind = dimensions > MAX_INDEXED_DIMENSIONS && dimensions <= MAX_INDEXED_HALF_DIMENSIONS ? 'halfvec' : 'vector'
  return {
    type: `${schema}.vector`,
    cast: (expression) => `(${expression})::${schema}.${kind}(${dimensions})`,
    operator: `OPERATOR(${schema}.<=>)`,
    operatorClass: dimensions > MAX_INDEXED_HALF_DIMENSIONS ? null : `${schema}.${kind}_cosine_ops`,
  }
}

function vectorMissingError(db: Database, hint: string, cause?: unknown): SyncError {
  return new SyncError('VECTOR_MISSING', `${db.name} has no pgvector, which holds embeddings`, hint, cause)
}

/** Looks whether a database can hold embeddings: null where it can, else how it is brought to. */
export async function checkVectors(db: Database): Promise<string | null> {
  const { available, major } = (await db.query(CHECK_VECTORS)).rows[0]!
  if (available) return null
  return `Install it on the server (Debian and Ubuntu: apt install postgresql-${major}-pgvector)`
}

const CHECK_VECTORS = /* sql */ `
SELECT current_setting('server_version_num')::integer / 10000 AS major,
  EXISTS (SELECT FROM pg_extension WHERE extname = 'vector')
  OR EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') AS available`

/** The statement that makes the table of embeddings, for someone else to run; none where it is there. Reads only. */
export async function pendingVectorTable(db: Database): Promise<string[]> {
  const [row] = (await db.query(`SELECT to_regclass('tidemark.embeddings') IS NOT NULL AS made`)).rows
  return row!.made ? [] : [CREATE_TABLE]
}

/** Makes the table of embeddings, with pgvector where the server has it. @throws {SyncError} `VECTOR_MISSING` */
export async function prepareVectors(db: Database): Promise<void> {
  if ((await db.query(`SELECT to_regclass('tidemark.embeddings') IS NOT NULL AS made`)).rows[0]!.made) return
  const step = await checkVectors(db)
  if (step !== null) throw vectorMissingError(db, `${step} and run this again. All but embeddings works without.`)
  try {
    await db.query(CREATE_TABLE)
  } catch (error) {
    if ((error as { code?: string }).code !== '42501') throw error
    throw vectorMissingError(db, 'Have its owner run: CREATE EXTENSION vector', error)
  }
}

/** One at a time: of two that make an extension at once, one fails. The type is found wherever it was installed. */
const CREATE_TABLE = /* sql */ `
DO $make$ BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('tidemark.embeddings', 0));
  CREATE EXTENSION IF NOT EXISTS vector;
  EXECUTE format(
    'CREATE TABLE IF NOT EXISTS tidemark.embeddings (
      model text NOT NULL, content_hash bytea NOT NULL, embedding %s.vector NOT NULL, PRIMARY KEY (model, content_hash)
    )', ${VECTOR_SCHEMA}
  );
  COMMENT ON TABLE tidemark.embeddings IS 'The vectors of texts: each text once for a model, wherever it stands.';
END $make$`
