import { functionName, literal, qualified, quote } from './identifier.ts'
import { LockError } from './lock-error.ts'
import ttl from './migrations/0001-ttl.ts'
import heartbeat, { CLOCK, OWN_COLUMNS } from './migrations/0002-heartbeat.ts'
import checkTable from './migrations/check-table.ts'
import convertFirstForm from './migrations/convert-first-form.ts'
import { COLUMNS, type ColumnNames, type Settings } from './options.ts'
import { asLockError, type Queryable, sqlState } from './queryable.ts'

/** Raised by check-table.ts. */
const BAD_TABLE = 'P0TLK'
/** The last function that `migrate()` creates. */
const RELEASE_ARGUMENTS = '(text, bigint, double precision, text)'
const { last_refreshed_at: timestamptz } = OWN_COLUMNS
const NEEDED_TYPES = {
  key: ['text', 'character varying'],
  holderPid: ['integer', 'bigint'],
  holderHost: ['text', 'character varying'],
  acquiredAt: [timestamptz],
  expiresAt: [timestamptz],
}

/** What `migrate()` runs: one statement, so all or nothing on any connection. The table itself shows what was applied. */
export function migrationSql({ table, columns }: Settings): string {
  const name = qualified(table)
  const release = functionName(table.name, '_release')
  const parts = Object.keys(COLUMNS) as (keyof ColumnNames)[]
  const own = Object.entries(OWN_COLUMNS)
  const names: Record<string, string> = {
    ...Object.fromEntries(parts.map((part) => [COLUMNS[part], quote(columns[part])])),
    clock: CLOCK,
    add_columns: own
      .map(([column, type]) => `ADD COLUMN IF NOT EXISTS ${column} ${type}`)
      .join(', ')
      .replace('token bigint', `token bigint NOT NULL DEFAULT ${CLOCK}`),
    key_literal: literal(columns.key),
    needed_columns: parts
      .map((part) => `(${literal(columns[part])}, ARRAY[${NEEDED_TYPES[part].map(literal).join(', ')}])`)
      .join(', '),
    own_columns: own.map((column) => `(${column.map(literal).join(', ')})`).join(', '),
  }
  // No name of the user's has it, so none ends a dollar quote.
  let tag = 0
  while ([name, ...Object.values(names)].some((text) => text.includes(`${tag}$`))) tag++
  // format() in the database fills in the rest: only it knows the schema where none is named.
  const positions = { table: '%1$s', acquire_function: '%2$s', trigger_function: '%3$s', release_function: '%4$s' }
  const inFormat = Object.entries(names).map(([part, text]) => [part, text.replaceAll('%', '%%')])
  const formatted = fill(heartbeat, { ...Object.fromEntries(inFormat), ...positions, body: `$body${tag}$` })
  const functions = (['_acquire', '_trigger', '_release'] as const).map(
    (suffix) => `in_schema || ${literal(quote(functionName(table.name, suffix)))}`,
  )
  const upToDate = `EXISTS (SELECT FROM pg_trigger WHERE tgrelid = to_regclass(${literal(name)}) AND tgname = 'tidemark_lock_0002_update')
  AND to_regprocedure(${literal(qualified({ ...table, name: release }) + RELEASE_ARGUMENTS)}) IS NOT NULL`
  const schema = table.schema ?? ''
  return `DO $migrate${tag}$
DECLARE
  t regclass; qualified text; in_schema text; problem text; remedy text; former record;
BEGIN
IF ${upToDate} THEN RETURN; END IF;
-- Others that migrate at the same time wait here, and then find it done.
PERFORM pg_advisory_xact_lock(hashtextextended(${literal(`@tidemark/lock ${name}`)}, 0));
IF ${upToDate} THEN RETURN; END IF;
IF ${literal(schema)} <> '' AND to_regnamespace(${literal(quote(schema))}) IS NULL THEN CREATE SCHEMA ${quote(schema || '-')}; END IF;
IF to_regclass(${literal(name)}) IS NULL THEN
${fill(ttl, { ...names, table: name })}
END IF;
t := ${literal(name)}::regclass;
SELECT format('%I.%I', nspname, relname), format('%I.', nspname) INTO qualified, in_schema
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE pg_class.oid = t;
${fill(checkTable, names)}
${fill(convertFirstForm, names)}
EXECUTE format($heartbeat${tag}$${formatted}$heartbeat${tag}$, qualified, ${functions.join(', ')});
END $migrate${tag}$`
}

const fill = (sql: string, parts: Record<string, string>) =>
  sql.replace(/\{(\w+)\}/g, (hole, part: string) => parts[part] ?? hole)

export async function migrate(db: Queryable, settings: Settings): Promise<void> {
  try {
    await db.query(migrationSql(settings))
  } catch (error) {
    const { message } = error as Error
    if (sqlState(error) === BAD_TABLE) throw new LockError('LOCK_BAD_TABLE', message, error)
    const fault = asLockError(error)
    if (fault.code !== 'LOCK_FORBIDDEN') throw fault
    const refused = `this role may not create ${qualified(settings.table)}: ${message}`
    throw new LockError(fault.code, `${refused}. Have someone who may run what migrationSql() returns`, error)
  }
}
