import { asLockError } from './database-error.ts'
import { functionName, literal, qualified, qualifiedFunction, quote } from './identifier.ts'
import { LockError } from './lock-error.ts'
import ttl from './migrations/0001-ttl.ts'
import heartbeat, { CLOCK, OWN_COLUMNS } from './migrations/0002-heartbeat.ts'
import checkTable from './migrations/check-table.ts'
import convertFirstForm from './migrations/convert-first-form.ts'
import type { Settings } from './options.ts'
import type { Queryable } from './queryable.ts'

/** The last function that `migrate()` creates. */
const RELEASE_ARGUMENTS = '(text, bigint, double precision, text)'

/** True where the table and all that `migrate()` creates beside it are there, in their newest form. */
function isUpToDateSql(table: Settings['table']): string {
  const release = literal(qualifiedFunction(table, '_release') + RELEASE_ARGUMENTS)
  return `EXISTS (SELECT FROM pg_trigger WHERE tgrelid = to_regclass(${literal(qualified(table))}) AND tgname = 'tidemark_lock_0002_update')
  AND to_regprocedure(${release}) IS NOT NULL`
}

/** What `migrate()` runs: one statement, so all or nothing on any connection. The table itself shows what was applied. */
export function migrationSql({ table, columns }: Settings): string {
  const name = qualified(table)
  const own = Object.entries(OWN_COLUMNS)
  const names: Record<string, string> = {
    ...Object.fromEntries(Object.entries(columns).map(([part, column]) => [part, quote(column)])),
    ...Object.fromEntries(Object.entries(columns).map(([part, column]) => [`${part}_name`, literal(column)])),
    clock: CLOCK,
    add_columns: own
      .map(([column, type]) => `ADD COLUMN IF NOT EXISTS ${column} ${type}`)
      .join(', ')
      .replace('token bigint', `token bigint NOT NULL DEFAULT ${CLOCK}`),
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
  const upToDate = isUpToDateSql(table)
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
    // Most calls find nothing to do, and a look costs a tenth of having the whole statement read.
    const { rows } = await db.query(`SELECT ${isUpToDateSql(settings.table)} AS up_to_date`)
    if (!rows[0]?.up_to_date) await db.query(migrationSql(settings))
  } catch (cause) {
    const error = asLockError(cause)
    if (error.code !== 'LOCK_FORBIDDEN') throw error
    const refused = `this role may not create ${qualified(settings.table)}: ${(cause as Error).message}`
    throw new LockError('LOCK_FORBIDDEN', `${refused}. Have someone who may run what migrationSql() returns`, cause)
  }
}
