import type { Database } from '../database/database.ts'
import type { Problem } from '../run/next-steps.ts'
import { SyncError, type SyncErrorCode } from '../sync-error.ts'
import { NEWEST_VERSION, newerMessage, UPDATE_STEP } from './migrate.ts'
import { readRows } from './read-rows.ts'

/** What is wrong with a database that answers, whatever the sources in it are like. */
export interface DatabaseProblem extends Problem {
  readonly code: 'read_only' | 'rights_missing' | 'schema_older' | 'schema_newer'
  /** Whether not even its sources can be read. */
  readonly blocksReading: boolean
}

/** Looks whether a role may do in a database what a sync does, and whether its tables are of this release. Writes nothing. */
export async function checkDatabase(db: Database): Promise<DatabaseProblem[]> {
  const access = (await db.query<Access>(READ_ACCESS)).rows[0]!
  const problems = [readOnlyProblem(access, db), rightsProblem(access, db)].filter((each) => each !== null)
  if (problems.some(({ blocksReading }) => blocksReading)) return problems
  const [newest] = await readRows(db, 'SELECT max(version) AS version FROM tidemark.migrations')
  const version: number = newest?.version ?? 0
  const schema = { blocksReading: true } as const
  if (version > NEWEST_VERSION)
    problems.push({ ...schema, code: 'schema_newer', message: newerMessage(db, version), nextStep: UPDATE_STEP })
  // Where there is none yet, nothing has been synced, and that is all there is to tell.
  else if (version > 0 && version < NEWEST_VERSION) {
    const message = `the tables in ${db.name} are older than this release (schema ${version} of ${NEWEST_VERSION})`
    problems.push({ ...schema, code: 'schema_older', message, nextStep: 'tidemark migrate' })
  }
  return problems
}

/** @throws {SyncError} of the first problem for which nothing can be read. */
export function refuseUnreadable(problems: readonly DatabaseProblem[]): void {
  const problem = problems.find(({ blocksReading }) => blocksReading)
  if (problem) throw new SyncError(ERROR_CODES[problem.code], problem.message, problem.nextStep)
}

/**
 * Where the database has refused a statement, looks whether that is for a right that is missing or tables of another
 * release, which tell more than the statement. @throws {SyncError} of that.
 */
export async function explainRefusal(db: Database, error: unknown): Promise<void> {
  const { code, cause } = (error ?? {}) as { code?: string; cause?: { code?: string } }
  if (![code, cause?.code].some((each) => /^(42|3F)...$/.test(String(each)))) return
  refuseUnreadable(await checkDatabase(db))
}

const ERROR_CODES: Record<DatabaseProblem['code'], SyncErrorCode> = {
  read_only: 'DATABASE_REFUSED',
  rights_missing: 'DATABASE_REFUSED',
  schema_older: 'DATABASE_OLDER',
  schema_newer: 'DATABASE_NEWER',
}

/** Role and database as SQL has them. */
interface Access {
  readonly role: string
  readonly database: string
  readonly replica: boolean
  readonly readOnly: boolean
  /** Where it was set that transactions are read-only, as `pg_settings.source` has it. */
  readonly readOnlyBy: string
  /** Whether the role may use the schema; null where there is none yet. */
  readonly usable: boolean | null
  /** Rights that the role lacks, each with the tables. */
  readonly lacks: readonly { readonly privilege: string; readonly tables: readonly string[] }[]
}

// By their ids: by their names tables cannot be asked about where the schema may not be used.
const READ_ACCESS = /* sql */ `
SELECT quote_ident(current_user) AS role, quote_ident(current_database()) AS database, pg_is_in_recovery() AS replica,
  current_setting('transaction_read_only')::boolean AS "readOnly",
  (SELECT source FROM pg_settings WHERE name = 'default_transaction_read_only') AS "readOnlyBy",
  (SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = 'tidemark') AS usable,
  (SELECT coalesce(json_agg(lacks ORDER BY lacks.place), '[]') FROM (
    SELECT privilege, place, json_agg(relname ORDER BY relname) AS tables
    FROM pg_class JOIN pg_namespace AS schema ON schema.oid = relnamespace
    CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) WITH ORDINALITY AS wanted (privilege, place)
    WHERE nspname = 'tidemark' AND relkind IN ('r', 'p') AND (relname <> 'migrations' OR privilege = 'SELECT')
      AND NOT has_table_privilege(pg_class.oid, privilege)
    GROUP BY privilege, place
  ) AS lacks) AS lacks`

const MAX_TABLES = 3

function rightsProblem({ role, usable, lacks }: Access, db: Database): DatabaseProblem | null {
  if (usable !== false && lacks.length === 0) return null
  const listed = (tables: readonly string[]) =>
    tables.slice(0, MAX_TABLES).join(', ') +
    (tables.length > MAX_TABLES ? ` and ${tables.length - MAX_TABLES} more` : '')
  const may = lacks.map(({ privilege, tables }) => `${privilege} on ${listed(tables)}`)
  const missing = [...(usable === false ? ['USAGE on the schema tidemark'] : []), ...may]
  return {
    code: 'rights_missing',
    blocksReading: usable === false || lacks.some(({ privilege }) => privilege === 'SELECT'),
    message: `the role ${role} lacks rights in ${db.name}: ${missing.join('; ')}; the owner of the tables can give them:`,
    nextStep: `GRANT USAGE ON SCHEMA tidemark TO ${role}; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA tidemark TO ${role}`,
  }
}

function readOnlyProblem(
  { role, database, replica, readOnly, readOnlyBy }: Access,
  db: Database,
): DatabaseProblem | null {
  if (!readOnly) return null
  const problem = { code: 'read_only', blocksReading: false } as const
  if (replica)
    return {
      ...problem,
      message: `${db.name} is a replica, and read-only`,
      nextStep: 'Set DATABASE_URL to the primary.',
    }
  const message = `${db.name} is read-only (default_transaction_read_only)`
  const target = {
    database: `DATABASE ${database}`,
    user: `ROLE ${role}`,
    'database user': `ROLE ${role} IN DATABASE ${database}`,
  }[readOnlyBy]
  // A session that the setting holds for could change nothing without the first words.
  if (target) {
    const reset = `ALTER ${target} RESET default_transaction_read_only`
    return {
      ...problem,
      message: `${message}; its owner can change that:`,
      nextStep: `BEGIN READ WRITE; ${reset}; COMMIT`,
    }
  }
  const nextStep =
    readOnlyBy === 'client'
      ? 'Take default_transaction_read_only out of PGOPTIONS and DATABASE_URL.'
      : "On the server, as its superuser: psql -c 'ALTER SYSTEM SET default_transaction_read_only = off' -c 'SELECT pg_reload_conf()'"
  return { ...problem, message, nextStep }
}
