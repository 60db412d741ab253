import { functionName, literal, qualified, quote } from './identifier.ts'
import { LockError } from './lock-error.ts'
import ttl from './migrations/0001-ttl.ts'
import heartbeat, { OWN_COLUMNS } from './migrations/0002-heartbeat.ts'
import checkTable from './migrations/check-table.ts'
import convertFirstForm from './migrations/convert-first-form.ts'
import type { Settings } from './options.ts'
import { asLockError, type Queryable, sqlState } from './queryable.ts'

/** Raised by check-table.ts. */
const BAD_TABLE = 'P0TLK'
/** The last function that `migrate()` creates. */
const RELEASE_ARGUMENTS = '(text, bigint, double precision, text)'

/** What `migrate()` runs: one statement, so all or nothing on any connection. The table itself shows what was applied. */
export function migrationSql({ table, columns }: Settings): string {
  const { key, holderPid, holderHost, acquiredAt, expiresAt } = columns
  const name = qualified(table)
  const release = functionName(table.name, '_release')
  const timestamptz = OWN_COLUMNS.last_refreshed_at
  const needed = [
    ...[typed(key, 'text', 'character varying'), typed(holderHost, 'text', 'character varying')],
    ...[typed(holderPid, 'integer', 'bigint'), typed(acquiredAt, timestamptz), typed(expiresAt, timestamptz)],
  ]
  const added = Object.entries(OWN_COLUMNS).map(([own, type]) => `ADD COLUMN IF NOT EXISTS ${own} ${type}`)
  const clock = '(extract(epoch FROM clock_timestamp()) * 1000000)::bigint'
  const names: Record<string, string> = {
    // A token is a clock that never goes back.
    clock,
    add_columns: added.join(', ').replace('token bigint', `token bigint NOT NULL DEFAULT ${clock}`),
    key: quote(key),
    holder_pid: quote(holderPid),
    holder_host: quote(holderHost),
    acquired_at: quote(acquiredAt),
    expires_at: quote(expiresAt),
    key_literal: literal(key),
    needed_columns: needed.join(', '),
    own_columns: Object.entries(OWN_COLUMNS)
      .map((column) => typed(...column))
      .join(', '),
    own_names: Object.keys(OWN_COLUMNS).map(literal).join(', '),
  }
  const fill = (sql: string, more: Record<string, string> = {}) =>
    sql.replace(/\{(\w+)\}/g, (hole, part: string) => more[part] ?? names[part] ?? hole)
  // format() in the database fills in the rest: only it knows the schema where none is named.
  const percent = (text: string) => text.replaceAll('%', '%%')
  const escaped = Object.fromEntries(Object.entries(names).map(([part, text]) => [part, percent(text)]))
  const positions = { table: '%1$s', acquire_function: '%2$s', trigger_function: '%3$s', release_function: '%4$s' }
  const format = (body: string) => fill(percent(heartbeat), { ...escaped, ...positions, body })
  const formatted = format(dollarTag('body', format('') + name))
  const functions = (['_acquire', '_trigger', '_release'] as const).map(
    (suffix) => `in_schema || ${literal(quote(functionName(table.name, suffix)))}`,
  )
  const upToDate = `EXISTS (SELECT FROM pg_trigger WHERE tgrelid = to_regclass(${literal(name)}) AND tgname = 'tidemark_lock_0002_update')
  AND to_regprocedure(${literal(qualified({ ...table, name: release }) + RELEASE_ARGUMENTS)}) IS NOT NULL`
  const schema = table.schema ?? ''
  return `DO ${dollarQuoted(
    'migrate',
    `
DECLARE
  t regclass; qualified text; in_schema text; problem text; remedy text; former record;
BEGIN
IF ${upToDate} THEN RETURN; END IF;
-- Others that migrate at the same time wait here, and then find it done.
PERFORM pg_advisory_xact_lock(hashtextextended(${literal(`@tidemark/lock ${name}`)}, 0));
IF ${upToDate} THEN RETURN; END IF;
IF ${literal(schema)} <> '' AND to_regnamespace(${literal(quote(schema))}) IS NULL THEN CREATE SCHEMA ${quote(schema || '-')}; END IF;
IF to_regclass(${literal(name)}) IS NULL THEN
${fill(ttl, { table: name })}
END IF;
t := ${literal(name)}::regclass;
SELECT format('%I.%I', nspname, relname), format('%I.', nspname) INTO qualified, in_schema
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE pg_class.oid = t;
${fill(checkTable)}
${fill(convertFirstForm)}
EXECUTE format(${dollarQuoted('heartbeat', formatted)}, qualified, ${functions.join(', ')});
END `,
  )}`
}

const typed = (name: string, ...types: string[]) => `(${literal(name)}, ARRAY[${types.map(literal).join(', ')}])`

/** A dollar quote that the text does not have; names of the user's may hold anything. */
function dollarTag(name: string, text: string): string {
  let tag = `$${name}$`
  for (let n = 1; text.includes(tag); n++) tag = `$${name}${n}$`
  return tag
}

function dollarQuoted(name: string, text: string): string {
  const tag = dollarTag(name, text)
  return tag + text + tag
}

/**
 * @throws {LockError} `LOCK_BAD_TABLE` where the table that is there cannot hold leases, `LOCK_FORBIDDEN` naming the
 *   missing right, `LOCK_FAILED`.
 */
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
