import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { LeaseEvent } from './events.ts'
import { checkName, type Identifier, parseTableName } from './identifier.ts'
import { LockError } from './lock-error.ts'
import type { Queryable } from './queryable.ts'
import type { Listener } from './wakeups.ts'

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
  /** How long one statement may take, the wait for a connection included; 10,000 by default, `ttlMs - marginMs` at most. */
  readonly timeoutMs?: number | undefined
  /** Who this is; by default the host's name and the process id. */
  readonly holder?: Partial<HolderName> | undefined
  /**
   * A connection, or a pool, for the heartbeat alone, so that a pool full of other work costs no lease. Where it does
   * not answer, the next beat goes through the first one.
   */
  readonly heartbeat?: Queryable | undefined
  /**
   * A connection that may LISTEN: not through a transaction pooler. Whoever waits for a key is then woken when a
   * `createLocks` that has this option too releases or breaks it; else it asks again some eight times a second.
   */
  readonly listen?: Listener | undefined
  /** Called with what happens to the leases, in the order in which it does. */
  readonly onEvent?: ((event: LeaseEvent) => void) | undefined
}

export interface Settings {
  readonly table: Identifier
  readonly columns: ColumnNames
  readonly ttlMs: number
  readonly heartbeatMs: number
  readonly marginMs: number
  readonly timeoutMs: number
  readonly holder: HolderName
  /** Tells this `createLocks` from every other one, also of the same process. */
  readonly holderId: string
}

const COLUMNS: ColumnNames = {
  key: 'key',
  holderPid: 'holder_pid',
  holderHost: 'holder_host',
  acquiredAt: 'acquired_at',
  expiresAt: 'expires_at',
}

/** What `migrate()` adds to the columns above, under these names in every table. */
export const OWN_COLUMNS = {
  token: 'bigint',
  holder_id: 'text',
  holder_label: 'text',
  info: 'jsonb',
  attempt_id: 'uuid',
  last_refreshed_at: 'timestamptz',
  heartbeat_ms: 'integer',
  resign_requested_at: 'timestamptz',
  end_reason: 'text',
}

/** @throws {LockError} `LOCK_BAD_OPTIONS` naming the option. */
export function resolveSettings(options: LocksOptions): Settings {
  const { ttlMs = 90_000, heartbeatMs = 15_000, marginMs = 2_000, timeoutMs = 10_000 } = options
  for (const [name, value] of Object.entries({ ttlMs, heartbeatMs, marginMs, timeoutMs })) {
    // A timer cannot wait longer than 2^31 - 1 ms.
    if (!Number.isInteger(value) || value < (name === 'marginMs' ? 0 : 1) || value >= 2 ** 31) {
      throw badOption(`${name} must be a whole number of milliseconds, not ${value}`)
    }
  }
  if (heartbeatMs * 3 > ttlMs - marginMs) {
    throw badOption(
      `heartbeatMs * 3 <= ttlMs - marginMs does not hold: ${heartbeatMs} * 3 > ${ttlMs} - ${marginMs}; two heartbeats may fail before a lease is lost`,
    )
  }
  const holder = resolveHolder(options.holder)
  return {
    table: parseTableName(options.table ?? 'heartbeat_locks'),
    columns: resolveColumns(options.columns),
    ttlMs,
    heartbeatMs,
    marginMs,
    timeoutMs: Math.min(timeoutMs, ttlMs - marginMs),
    holder,
    holderId: `${holder.host}:${holder.pid}:${randomUUID()}`,
  }
}

function resolveColumns(names: Partial<ColumnNames> = {}): ColumnNames {
  const columns = { ...COLUMNS, ...names }
  const seen = new Map<string, string>()
  for (const [part, name] of Object.entries(columns)) {
    if (!(part in COLUMNS))
      throw badOption(`columns.${part} is not one of ${Object.keys(COLUMNS).join(', ')}`)
    checkName(name, `columns.${part}`)
    if (name in OWN_COLUMNS)
      throw badOption(`columns.${part} cannot be "${name}": a column of that name is added by migrate()`)
    if (seen.has(name)) throw badOption(`columns.${part} and columns.${seen.get(name)} are both "${name}"`)
    seen.set(name, part)
  }
  return columns
}

function resolveHolder(given: Partial<HolderName> = {}): HolderName {
  const { host = hostname(), pid = process.pid, label } = given
  for (const [name, text] of Object.entries({ host, label: label ?? '' })) {
    if (!isStorable(text)) throw badOption(`holder.${name} must be a text without NUL`)
  }
  // As Postgres has an integer.
  if (!Number.isInteger(pid) || Math.abs(pid) >= 2 ** 31) throw badOption('holder.pid must be a whole number')
  return { host, pid, label }
}

/** A text that a row of the database can hold. */
function isStorable(text: unknown): text is string {
  return typeof text === 'string' && !text.includes('\0') && text.isWellFormed()
}

/** @throws {LockError} `LOCK_BAD_KEY` */
export function checkKey(key: string): void {
  if (!isStorable(key) || key === '' || Buffer.byteLength(key) > 1024) {
    throw new LockError('LOCK_BAD_KEY', 'a key is a text of 1 to 1,024 bytes without NUL')
  }
}

/** @throws {LockError} `LOCK_BAD_OPTIONS` */
export function checkDuration(name: string, ms: number | undefined): void {
  if (ms !== undefined && !(typeof ms === 'number' && ms >= 0))
    throw badOption(`${name} must be milliseconds of 0 or more, not ${ms}`)
}

/** `info` as JSON; null where there is none. @throws {LockError} `LOCK_BAD_OPTIONS` where JSON, or a row, cannot hold it. */
export function infoJson(info: unknown): string | null {
  if (info === undefined) return null
  try {
    const text = JSON.stringify(info)
    // What Postgres refuses in jsonb: NUL, and half of a surrogate pair, which is the only kind that is escaped.
    if (text === undefined || /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/.test(text))
      throw new TypeError('no JSON text of a row')
    return text
  } catch (error) {
    throw new LockError(
      'LOCK_BAD_OPTIONS',
      `info must be what JSON can hold: ${(error as Error).message}`,
      error,
    )
  }
}

export function badOption(message: string): LockError {
  return new LockError('LOCK_BAD_OPTIONS', message)
}
