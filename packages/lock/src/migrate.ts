import { functionName, literal, quote } from './identifier.ts'
import { LockError } from './lock-error.ts'
import ttl from './migrations/0001-ttl.ts'
import heartbeat from './migrations/0002-heartbeat.ts'
import adoptable from './migrations/adoptable.ts'
import sequenceTokens from './migrations/sequence-tokens.ts'
import { OWN_COLUMNS, type Settings } from './options.ts'
import { asLockError, type Queryable, sqlState } from './queryable.ts'

/** Raised by adoptable.ts. */
const BAD_TABLE = 'P0TLK'
const ACQUIRE_ARGUMENTS = '(text, text, text, text, integer, text, uuid, double precision, integer)'

/**
 * What `migrate()` runs: one statement, so that it is all or nothing on any connection, and no round trip more where
 * there is nothing to do. What has been applied is told by the table itself.
 */
export function migrationSql({ table, columns }: Settings): string {
  const acquire = functionName(table, '_acquire')
  const names: Record<string, string> = {
    key: quote(columns.key),
    holder_pid: quote(columns.holderPid),
    holder_host: quote(columns.holderHost),
    acquired_at: quote(columns.acquiredAt),
    expires_at: quote(columns.expiresAt),
    key_literal: literal(columns.key),
    needed_columns: listed({
      [columns.key]: ['text', 'character varying'],
      [columns.holderPid]: ['integer', 'bigint'],
      [columns.holderHost]: ['text', 'character varying'],
      [columns.acquiredAt]: ['timestamp with time zone'],
      [columns.expiresAt]: ['timestamp with time zone'],
    }),
    own_columns: listed(
      Object.fromEntries(Object.entries(OWN_COLUMNS).map(([name, type]) => [name, [type]])),
    ),
    own_names: Object.keys(OWN_COLUMNS).map(literal).join(', '),
    // A token is a clock that never goes back.
    clock: '(extract(epoch FROM clock_timestamp()) * 1000000)::bigint',
  }
  const fill = (sql: string, more: Record<string, string> = {}) =>
    sql.replace(/\{(\w+)\}/g, (hole, name: string) => more[name] ?? names[name] ?? hole)
  const tables = fill(heartbeat, { body: dollarTag('body', fill(heartbeat)) })
  const upToDate = `EXISTS (SELECT FROM pg_trigger WHERE tgrelid = to_regclass(${literal(table.quoted)}) AND tgname = 'tidemark_lock_0002_update')
  AND to_regprocedure(${literal(acquire + ACQUIRE_ARGUMENTS)}) IS NOT NULL`
  const schema =
    table.schema === null
      ? ''
      : `IF to_regnamespace(${literal(quote(table.schema))}) IS NULL THEN CREATE SCHEMA ${quote(table.schema)}; END IF;`
  const block = `
DECLARE
  t regclass;
  qualified text;
  in_schema text;
  problem text;
  remedy text;
  former record;
BEGIN
IF ${upToDate} THEN RETURN; END IF;
-- Others that migrate at the same time wait here, and then find it done.
PERFORM pg_advisory_xact_lock(hashtextextended(${literal(`@tidemark/lock ${table.quoted}`)}, 0));
IF ${upToDate} THEN RETURN; END IF;
${schema}
IF to_regclass(${literal(table.quoted)}) IS NULL THEN
${fill(ttl, { table: table.quoted })}
END IF;
t := ${literal(table.quoted)}::regclass;
SELECT format('%I.%I', nspname, relname), format('%I.', nspname) INTO qualified, in_schema
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE pg_class.oid = t;
${fill(adoptable)}
${fill(sequenceTokens)}
EXECUTE replace(replace(replace(${dollarQuoted('heartbeat', tables)},
  '{table}', qualified),
  '{acquire_function}', in_schema || ${literal(functionName({ ...table, schema: null }, '_acquire'))}),
  '{trigger_function}', in_schema || ${literal(functionName({ ...table, schema: null }, '_trigger'))});
END `
  return `DO ${dollarQuoted('migrate', block)}`
}

function listed(types: Record<string, string[]>): string {
  return Object.entries(types)
    .map(([name, each]) => `(${literal(name)}, ARRAY[${each.map(literal).join(', ')}])`)
    .join(', ')
}

/** A dollar quote that the text does not have; names of the user's may hold anything. */
function dollarTag(name: string, text: string): string {
  let tag = `$${name}$`
  for (let n = 1; text.includes(tag); n++) tag = `$${name}${n}$`
  return tag
}

function dollarQuoted(name: string, text: string): string {
  const tag = dollarTag(name, text)
  return `${tag}${text}${tag}`
}

/**
 * @throws {LockError} `LOCK_BAD_TABLE` where the table that is there cannot hold leases, `LOCK_FORBIDDEN` naming the
 *   missing right, `LOCK_FAILED`.
 */
export async function migrate(db: Queryable, settings: Settings): Promise<void> {
  try {
    await db.query(migrationSql(settings))
  } catch (error) {
    const fault = asLockError(error)
    if (sqlState(error) === BAD_TABLE) throw new LockError('LOCK_BAD_TABLE', (error as Error).message, error)
    if (fault.code !== 'LOCK_FORBIDDEN') throw fault
    const right = `this role may not create ${settings.table.quoted}`
    throw new LockError(
      'LOCK_FORBIDDEN',
      `${right}: ${(error as Error).message}. Have someone who may run what migrationSql() returns`,
      error,
    )
  }
}
