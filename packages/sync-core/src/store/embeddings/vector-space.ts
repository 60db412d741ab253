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

/** @throws {SyncError} `VECTOR_MISSING` where the database has no pgvector. */
export async function vectorSpace(db: Database, dimensions: number): Promise<VectorSpace> {
  const { rows } = await db.query(
    `SELECT quote_ident(nspname) AS schema FROM pg_extension JOIN pg_namespace AS n ON n.oid = extnamespace WHERE extname = 'vector'`,
  )
  const schema: string | undefined = rows[0]?.schema
  if (schema === undefined) throw vectorMissingError(db, 'Run: tidemark embed --all')
  const kind = dimensions > MAX_INDEXED_DIMENSIONS && dimensions <= MAX_INDEXED_HALF_DIMENSIONS ? 'halfvec' : 'vector'
  return {
    type: `${schema}.vector`,
    cast: (expression) => `(${expression})::${schema}.${kind}(${dimensions})`,
    operator: `OPERATOR(${schema}.<=>)`,
    operatorClass: dimensions > MAX_INDEXED_HALF_DIMENSIONS ? null : `${schema}.${kind}_cosine_ops`,
  }
}

export function vectorMissingError(db: Database, hint: string, cause?: unknown): SyncError {
  return new SyncError('VECTOR_MISSING', `${db.name} has no pgvector, which holds embeddings`, hint, cause)
}
