import { type Database, withSignal } from '../database/database.ts'
import { redact } from '../redact.ts'
import { SyncError } from '../sync-error.ts'
import { readRows } from './read-rows.ts'
import tables from './schema/0001-tables.ts'
import views from './schema/0002-views.ts'
import searchTerms from './schema/0003-search-terms.ts'
import nothingSelected from './schema/0004-nothing-selected.ts'
import links from './schema/0005-links.ts'
import standing from './schema/0006-standing.ts'
import sharedDatabase from './schema/0007-shared-database.ts'
import failures from './schema/0008-failures.ts'
import changes from './schema/0009-changes.ts'
import pendingList from './schema/0010-pending-list.ts'

/** In order; a migration that has been released is never edited. */
const MIGRATIONS = [
  tables,
  views,
  searchTerms,
  nothingSelected,
  links,
  standing,
  sharedDatabase,
  failures,
  changes,
  pendingList,
]

/** What `tidemark.migrations` has where all are done. */
export const NEWEST_VERSION = MIGRATIONS.length

/**
 * Brings the schema `tidemark` up to date; costs one look where it is already.
 * Safe from many processes at once: each migration runs in one transaction under a lock and looks again inside it.
 * @param options.signal ends the wait for others that migrate, and for the database.
 * @throws {SyncError} `DATABASE_NEWER`, `DATABASE_REFUSED` where a right is missing; or the signal's reason.
 */
export async function migrate(db: Database, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<void> {
  try {
    await db.locks.migrate({ signal })
    const bound = signal ? withSignal(db, signal) : db
    if (!(await isCurrent(bound))) await bound.query(MIGRATE)
  } catch (error) {
    signal?.throwIfAborted()
    throw await migrationError(error, db)
  }
}

/**
 * The statements that {@link migrate} would run now, for someone else to run; none where all is up to date. Reads only.
 * @throws {SyncError} `DATABASE_NEWER`
 */
export async function pendingMigrations(db: Database): Promise<string[]> {
  const statements: string[] = []
  await db.locks.list().catch((error) => {
    if (error.code !== 'LOCK_NOT_MIGRATED') throw error
    statements.push(db.locks.migrationSql())
  })
  return (await isCurrent(db)) ? statements : [...statements, MIGRATE]
}

async function isCurrent(db: Database): Promise<boolean> {
  const [newest] = await readRows(db, 'SELECT max(version) AS version FROM tidemark.migrations')
  const version = newest?.version ?? 0
  if (version <= NEWEST_VERSION) return version === NEWEST_VERSION
  throw new SyncError('DATABASE_NEWER', newerMessage(db, version), UPDATE_STEP)
}

export const UPDATE_STEP = 'Update tidemark, for example: npm install --global tidemark@latest'

export const newerMessage = ({ name }: Database, version: number) =>
  `${name} was migrated by a newer tidemark (schema ${version}, this one knows ${NEWEST_VERSION})`

const MIGRATE = /* sql */ `DO $migrate$ BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('tidemark.migrations', 0));
  -- A role that may not create schemas is refused where it is there too.
  IF to_regnamespace('tidemark') IS NULL THEN CREATE SCHEMA tidemark; END IF;
  CREATE TABLE IF NOT EXISTS tidemark.migrations (
    version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now()
  );
  ${MIGRATIONS.map(
    (sql, index) => `IF NOT EXISTS (SELECT FROM tidemark.migrations WHERE version = ${index + 1}) THEN
    ${sql}
    INSERT INTO tidemark.migrations (version) VALUES (${index + 1});
  END IF;`,
  ).join('\n')}
END $migrate$`

async function migrationError(error: unknown, db: Database): Promise<unknown> {
  const { code, message, cause } = error as { code?: string; message: string; cause?: { code?: string } }
  if (code !== '42501' && cause?.code !== '42501') return error
  const step = await missingRightStep(db).catch(() => MISSING_TABLES)
  return new SyncError('DATABASE_REFUSED', `${db.name}: ${redact(message)}`, step, error)
}

/** What a role needs that reads and writes rows and makes no tables. */
const GRANT_STEP =
  'GRANT USAGE ON SCHEMA tidemark TO …; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA tidemark TO …'

/** Either it may make the tables, or someone else makes them for it. */
const MISSING_TABLES = `Have someone who may make tables run the output of "tidemark migrate --dry-run", then: ${GRANT_STEP}. Or let this role make them: `

/** What this role has to be given, as it stands with the schema: only to use it where the tables are there. */
async function missingRightStep(db: Database): Promise<string> {
  const [right] = await readRows<{ exists: boolean; usable: boolean | null }>(db, RIGHTS)
  if (!right!.exists) return `${MISSING_TABLES}GRANT CREATE ON DATABASE … TO …`
  if (!right!.usable) return `Have the owner of the schema run: ${GRANT_STEP}`
  return `${MISSING_TABLES}GRANT USAGE, CREATE ON SCHEMA tidemark TO …`
}

const RIGHTS = /* sql */ `
SELECT oid IS NOT NULL AS exists, has_schema_privilege(oid, 'USAGE') AS usable
FROM (SELECT to_regnamespace('tidemark')::oid AS oid) AS schema`
