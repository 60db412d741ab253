import type { Database } from '../../database/database.ts'
import { SyncError } from '../../sync-error.ts'

/** How vectors of one length are written in SQL, wherever pgvector is installed and whichever it is. */
export interface VectorSpace {
  /** The type without a length. */
  readonly type: string
  /** An expression as an index holds it. */
  cast(expression: string): string
  /** Cosine distance. */
  readonly operator: string
  /** For an HNSW index; or why there can be none. */
  readonly index: { readonly operatorClass: string } | { readonly impossible: string }
}

/** The longest vectors that pgvector indexes, whole and in half precision. */
const MAX_INDEXED_DIMENSIONS = 2_000
const MAX_INDEXED_HALF_DIMENSIONS = 4_000

/** The schema that pgvector is installed in, as SQL writes it. */
const READ_EXTENSION = /* sql */ `
SELECT quote_ident(n.nspname) AS schema, extversion AS version, ARRAY(
  SELECT opcname::text FROM pg_opclass JOIN pg_am AS am ON am.oid = opcmethod
  WHERE opcnamespace = n.oid AND am.amname = 'hnsw'
) AS "operatorClasses"
FROM pg_extension JOIN pg_namespace AS n ON n.oid = extnamespace WHERE extname = 'vector'`

interface Extension {
  readonly schema: string
  readonly version: string
  /** Older releases have none, or none of half precision. */
  readonly operatorClasses: readonly string[]
}

/** @throws {SyncError} `VECTOR_MISSING` where the database has no pgvector. */
export async function vectorSpace(db: Database, dimensions: number): Promise<VectorSpace> {
  const extension: Extension | undefined = (await db.query(READ_EXTENSION)).rows[0]
  if (extension === undefined) throw vectorMissingError(db, 'Run: tidemark embed --all')
  const { schema } = extension
  const kind = dimensions > MAX_INDEXED_DIMENSIONS && dimensions <= MAX_INDEXED_HALF_DIMENSIONS ? 'halfvec' : 'vector'
  const impossible = unindexable(extension, dimensions, `${kind}_cosine_ops`)
  return {
    type: `${schema}.vector`,
    cast: (expression) => `(${expression})::${schema}.${kind}(${dimensions})`,
    operator: `OPERATOR(${schema}.<=>)`,
    index: impossible === null ? { operatorClass: `${schema}.${kind}_cosine_ops` } : { impossible },
  }
}

/** Why vectors can have no index; null where they can. */
function unindexable({ version, operatorClasses }: Extension, dimensions: number, needed: string): string | null {
  if (dimensions > MAX_INDEXED_HALF_DIMENSIONS) {
    return `pgvector indexes vectors of at most ${MAX_INDEXED_HALF_DIMENSIONS} dimensions, and these have ${dimensions}`
  }
  if (operatorClasses.includes(needed)) return null
  const update = 'update it on the server, then run ALTER EXTENSION vector UPDATE'
  if (!operatorClasses.includes('vector_cosine_ops')) {
    return `pgvector ${version} has no index that suits; 0.5 or newer has: ${update}`
  }
  return `pgvector ${version} indexes vectors of at most ${MAX_INDEXED_DIMENSIONS} dimensions, and these have ${dimensions}; 0.7 or newer can: ${update}`
}

function vectorMissingError(db: Database, hint: string, cause?: unknown): SyncError {
  return new SyncError('VECTOR_MISSING', `${db.name} has no pgvector, which holds embeddings`, hint, cause)
}

/** What a server has of pgvector. */
export type VectorSupport =
  | { readonly status: 'installed'; readonly version: string }
  /** Not in this database yet, and who may put it there. */
  | { readonly status: 'available'; readonly version: string; readonly mayInstall: boolean }
  | { readonly status: 'absent'; readonly install: string }

/** Looks what a server has of pgvector, and how it is brought to it where it has none. */
export async function checkVectors(db: Database): Promise<VectorSupport> {
  const { installed, available, mayInstall, major, server } = (await db.query(CHECK_VECTORS)).rows[0]!
  if (installed !== null) return { status: 'installed', version: installed }
  if (available !== null) return { status: 'available', version: available, mayInstall }
  return { status: 'absent', install: installStep(server, major) }
}

/** Which package is known by what the server says of itself; Debian has had one since 13, Ubuntu since 24.04. */
function installStep(server: string, major: number): string {
  const apt = `apt install postgresql-${major}-pgvector`
  if (/\.pgdg/.test(server) || (/Debian|Ubuntu/.test(server) && major >= 16)) return `Install it on the server: ${apt}`
  if (/Debian|Ubuntu/.test(server)) return `Install it on the server, from apt.postgresql.org: ${apt}`
  return 'Install it on the server: https://github.com/pgvector/pgvector#installation'
}

/** An extension that is trusted needs a right on the database only; up to Postgres 12 none is. */
const CHECK_VECTORS = /* sql */ `
SELECT current_setting('server_version_num')::integer / 10000 AS major, version() AS server,
  (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS installed, available.version AS available,
  (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
    OR available.trusted AND has_database_privilege(current_database(), 'CREATE') AS "mayInstall"
FROM (SELECT) AS one LEFT JOIN (
  SELECT v.version, coalesce((to_jsonb(v)->>'trusted')::boolean, false) AS trusted
  FROM pg_available_extensions AS e
  JOIN pg_available_extension_versions AS v ON v.name = e.name AND v.version = e.default_version
  WHERE e.name = 'vector'
) AS available ON true`

/** The statement that makes the table of embeddings, for someone else to run; none where it is there. Reads only. */
export async function pendingVectorTable(db: Database): Promise<string[]> {
  const [row] = (await db.query(`SELECT to_regclass('tidemark.embeddings') IS NOT NULL AS made`)).rows
  return row!.made ? [] : [CREATE_TABLE]
}

/** Makes the table of embeddings, with pgvector where the server has it. @throws {SyncError} `VECTOR_MISSING` */
export async function prepareVectors(db: Database): Promise<void> {
  if ((await db.query(`SELECT to_regclass('tidemark.embeddings') IS NOT NULL AS made`)).rows[0]!.made) return
  const support = await checkVectors(db)
  if (support.status === 'absent') {
    throw vectorMissingError(db, `${support.install} and run this again. All but embeddings works without.`)
  }
  try {
    await db.query(CREATE_TABLE)
  } catch (error) {
    if (support.status === 'installed' || (error as { code?: string }).code !== '42501') throw error
    throw vectorMissingError(db, CREATE_EXTENSION_STEP, error)
  }
}

/** Where the server has pgvector, and the role may not put it into the database. */
export const CREATE_EXTENSION_STEP = 'Have its owner run: CREATE EXTENSION vector'

/** One at a time: of two that make an extension at once, one fails. The type is found wherever it was installed. */
const CREATE_TABLE = /* sql */ `
DO $make$ BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('tidemark.embeddings', 0));
  CREATE EXTENSION IF NOT EXISTS vector;
  EXECUTE format(
    'CREATE TABLE IF NOT EXISTS tidemark.embeddings (
      model text NOT NULL, content_hash bytea NOT NULL, embedding %I.vector NOT NULL, PRIMARY KEY (model, content_hash)
    )', (SELECT nspname FROM pg_extension JOIN pg_namespace AS n ON n.oid = extnamespace WHERE extname = 'vector')
  );
  COMMENT ON TABLE tidemark.embeddings IS 'The vectors of texts: each text once for a model, wherever it stands.';
END $make$`
