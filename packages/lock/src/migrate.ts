import { LockError } from './lock-error.ts'
import ttl from './migrations/0001-ttl.ts'
import heartbeat from './migrations/0002-heartbeat.ts'
import { quote, type Settings } from './options.ts'
import { asLockError, type Queryable } from './queryable.ts'

/**
 * What `migrate()` runs: one statement, so that it is all or nothing on any connection, and no round trip more where
 * there is nothing to do. What has been applied is told by the table itself.
 */
export function migrationSql({ table, columns }: Settings): string {
  const literal = (text: string) => `'${text.replaceAll("'", "''")}'`
  const inSchema = (name: string) =>
    table.schema === null ? quote(name) : `${quote(table.schema)}.${quote(name)}`
  const short = table.name.slice(0, 40)
  const names: Record<string, string> = {
    table: table.quoted,
    key_literal: literal(columns.key),
    expires_literal: literal(columns.expiresAt),
    key: quote(columns.key),
    holder_pid: quote(columns.holderPid),
    holder_host: quote(columns.holderHost),
    acquired_at: quote(columns.acquiredAt),
    expires_at: quote(columns.expiresAt),
    fence_constraint: quote(`${short}_fence`),
    function: inSchema(`${short}_heartbeat`),
    trigger_insert: quote(`${short}_insert`),
    trigger_update: quote(`${short}_update`),
    trigger_delete: quote(`${short}_delete`),
  }
  const fill = (sql: string) => sql.replace(/\{(\w+)\}/g, (_, name: string) => names[name]!)
  const upToDate = `EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass(${literal(table.quoted)}) AND attname = 'token' AND NOT attisdropped)`
  const schema =
    table.schema === null
      ? ''
      : `IF to_regnamespace(${literal(quote(table.schema))}) IS NULL THEN CREATE SCHEMA ${quote(table.schema)}; END IF;`
  return `DO $migrate$ BEGIN
IF ${upToDate} THEN RETURN; END IF;
-- Others that migrate at the same time wait here, and then find it done.
PERFORM pg_advisory_xact_lock(hashtextextended(${literal(`@tidemark/lock ${table.quoted}`)}, 0));
IF ${upToDate} THEN RETURN; END IF;
${schema}
${fill(ttl)}
${fill(heartbeat)}
END $migrate$`
}

/** @throws {LockError} `LOCK_FORBIDDEN` naming the missing right, `LOCK_FAILED`. */
export async function migrate(db: Queryable, settings: Settings): Promise<void> {
  try {
    await db.query(migrationSql(settings))
  } catch (error) {
    const fault = asLockError(error)
    if (fault.code !== 'LOCK_FORBIDDEN') throw fault
    const right = `this role may not create ${settings.table.quoted}`
    throw new LockError(
      'LOCK_FORBIDDEN',
      `${right}: ${(error as Error).message}. Have someone who may run what migrationSql() returns`,
      error,
    )
  }
}
