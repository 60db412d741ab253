import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { LockError } from './lock-error.ts'

/** Names of the columns that a table made by an older program may have under other names. */
export interface ColumnNames {
  readonly key: string
  readonly holderPid: string
  readonly holderHost: string
  readonly acquiredAt: string
  readonly expiresAt: string
}

/** Who holds a lease, for people to read; what proves a lease is its token. */
export interface HolderName {
  readonly host: string
  readonly pid: number
  readonly label?: string | undefined
}

export interface LocksOptions {
  /** `table` or `schema.table`; parts in double quotes are taken literally. `heartbeat_locks` by default. */
  readonly table?: string | undefined
  /** The columns of an adopted table, where they have other names. */
  readonly columns?: Partial<ColumnNames> | undefined
  /** How long a lease lasts without a heartbeat; 90,000 by default. */
  readonly ttlMs?: number | undefined
  /** How often held leases are renewed; 15,000 by default. */
  readonly heartbeatMs?: number | undefined
  /** How much earlier than the database the holder takes its lease for lost; 2,000 by default. */
  readonly marginMs?: number | undefined
  /** Who this is; by default the host's name and the process id. */
  readonly holder?: Partial<HolderName> | undefined
}

export interface Settings {
  readonly table: Identifier
  readonly columns: ColumnNames
  readonly ttlMs: number
  readonly heartbeatMs: number
  readonly marginMs: number
  readonly holder: HolderName
  /** Tells this `createLocks` from every other one, also of the same process. */
  readonly holderId: string
}

/** A table's name, ready to stand in a statement. */
export interface Identifier {
  readonly schema: string | null
  readonly name: string
  readonly quoted: string
}

const COLUMNS: ColumnNames = {
  key: 'key',
  holderPid: 'holder_pid',
  holderHost: 'holder_host',
  acquiredAt: 'acquired_at',
  expiresAt: 'expires_at',
}

/** @throws {LockError} `LOCK_BAD_OPTIONS` naming the option. */
export function settingsOf(options: LocksOptions): Settings {
  const { ttlMs = 90_000, heartbeatMs = 15_000, marginMs = 2_000 } = options
  for (const [name, value] of Object.entries({ ttlMs, heartbeatMs, marginMs })) {
    // A timer cannot wait longer than 2^31 - 1 ms.
    if (!Number.isInteger(value) || value < (name === 'marginMs' ? 0 : 1) || value >= 2 ** 31) {
      throw bad(`${name} must be a whole number of milliseconds, not ${value}`)
    }
  }
  if (heartbeatMs * 3 > ttlMs - marginMs) {
    throw bad(
      `heartbeatMs * 3 <= ttlMs - marginMs does not hold: ${heartbeatMs} * 3 > ${ttlMs} - ${marginMs}; two heartbeats may fail before a lease is lost`,
    )
  }
  const columns = { ...COLUMNS, ...options.columns }
  for (const [name, value] of Object.entries(columns)) {
    if (!(name in COLUMNS)) throw bad(`columns.${name} is not one of ${Object.keys(COLUMNS).join(', ')}`)
    checkName(value, `columns.${name}`)
  }
  const holder = { host: hostname(), pid: process.pid, ...options.holder }
  if (!Number.isInteger(holder.pid)) throw bad('holder.pid must be a whole number')
  return {
    table: identifier(options.table ?? 'heartbeat_locks'),
    columns,
    ttlMs,
    heartbeatMs,
    marginMs,
    holder,
    holderId: `${holder.host}:${holder.pid}:${randomUUID()}`,
  }
}

const PART = '"(?:[^"\\0]|"")+"|[A-Za-z_][A-Za-z0-9_$]*'
const TABLE = new RegExp(`^(?:(${PART})\\.)?(${PART})$`)

function identifier(text: string): Identifier {
  const match = typeof text === 'string' ? TABLE.exec(text) : null
  if (!match) throw bad(`table must be a name or schema.name, not ${JSON.stringify(text)}`)
  const schema = match[1] === undefined ? null : unquoted(match[1])
  const name = unquoted(match[2]!)
  for (const part of [schema, name]) if (part !== null) checkName(part, 'table')
  return { schema, name, quoted: schema === null ? quote(name) : `${quote(schema)}.${quote(name)}` }
}

/** As Postgres reads it: folded to lower case unless it is in quotes. */
function unquoted(part: string): string {
  return part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part.toLowerCase()
}

function checkName(name: unknown, option: string): void {
  // Postgres would cut a longer name short, without a word.
  if (typeof name !== 'string' || name === '' || name.includes('\0') || Buffer.byteLength(name) > 63) {
    throw bad(`${option} must be a name of 1 to 63 bytes, not ${JSON.stringify(name)}`)
  }
}

/** An identifier in the quotes of SQL. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** @throws {LockError} `LOCK_BAD_KEY` */
export function checkKey(key: string): void {
  if (
    typeof key !== 'string' ||
    key === '' ||
    key.includes('\0') ||
    !key.isWellFormed() ||
    Buffer.byteLength(key) > 1024
  ) {
    throw new LockError('LOCK_BAD_KEY', 'a key is a text of 1 to 1,024 bytes without NUL')
  }
}

/** @throws {LockError} `LOCK_BAD_OPTIONS` */
export function checkDuration(name: string, ms: number | undefined): void {
  if (ms !== undefined && (!Number.isFinite(ms) || ms < 0))
    throw bad(`${name} must be milliseconds of 0 or more, not ${ms}`)
}

function bad(message: string): LockError {
  return new LockError('LOCK_BAD_OPTIONS', message)
}
