import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { LeaseEvent } from './events.ts'
import { checkName, parseTableName } from './identifier.ts'
import { badOption, LockError } from './lock-error.ts'
import { OWN_COLUMNS } from './migrations/0002-heartbeat.ts'
import { MAX_TIMER_MS, type Queryable } from './queryable.ts'
import type { Listener } from './wakeups.ts'

const COLUMNS = {
  key: 'key',
  holderPid: 'holder_pid',
  holderHost: 'holder_host',
  acquiredAt: 'acquired_at',
  expiresAt: 'expires_at',
}

/** The columns that an adopted table may have under other names. */
export type ColumnNames = Readonly<typeof COLUMNS>

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
  /** How much earlier than the database the holder counts its lease as lost; 2,000 by default. */
  readonly marginMs?: number | undefined
  /** How long a statement may take with the wait for a connection; 10,000 by default, `ttlMs - marginMs` at most. */
  readonly timeoutMs?: number | undefined
  /** Who this is; by default the host's name and the process id. */
  readonly holder?: Partial<HolderName> | undefined
  /** A connection or pool for the heartbeat alone; where it has no answer, the next beat goes through the first one. */
  readonly heartbeat?: Queryable | undefined
  /** A connection that may LISTEN (no transaction pooler): wakes waiters when another one with this option frees a key. */
  readonly listen?: Listener | undefined
  /** Called with what happens to the leases, in the order in which it does. */
  readonly onEvent?: ((event: LeaseEvent) => void) | undefined
}

export interface TryOptions {
  /** Stored with the lease, for people and programs to read; anything that JSON can hold. */
  readonly info?: unknown
  /** The `ttlMs` of this lease alone. */
  readonly ttlMs?: number | undefined
  /** How long others are kept away since it was acquired, also by an earlier release; by a crash for `ttlMs`. */
  readonly atLeastMs?: number | undefined
  /** Ends the wait at once, also for a database that does not answer. */
  readonly signal?: AbortSignal | undefined
}

export interface AcquireOptions extends TryOptions {
  /** How long to wait for a key that another has, and for a database that fails; without end by default. */
  readonly waitMs?: number | undefined
}

export type Settings = Readonly<ReturnType<typeof resolveSettings>>

export function resolveSettings(options: LocksOptions) {
  const { ttlMs = 90_000, heartbeatMs = 15_000, marginMs = 2_000, timeoutMs = 10_000 } = options
  for (const [name, ms] of Object.entries({ ttlMs, heartbeatMs, marginMs, timeoutMs })) {
    if (!isTimer(ms) || (ms === 0 && name !== 'marginMs'))
      throw badOption(`${name} must be a whole number of milliseconds, not ${ms}`)
  }
  if (heartbeatMs * 3 > ttlMs - marginMs) {
    const unequal = `${heartbeatMs} * 3 > ${ttlMs} - ${marginMs}; two heartbeats may fail before a lease is lost`
    throw badOption(`heartbeatMs * 3 <= ttlMs - marginMs does not hold: ${unequal}`)
  }
  const { host = hostname(), pid = process.pid, label } = options.holder ?? {}
  if (!isStorable(host) || !isStorable(label ?? '')) throw badOption('holder must be of texts without NUL')
  if (!Number.isInteger(pid) || Math.abs(pid) >= 2 ** 31) throw badOption('holder.pid must be a whole number')
  return {
    table: parseTableName(options.table ?? 'heartbeat_locks'),
    columns: resolveColumns(options.columns),
    ttlMs,
    heartbeatMs,
    marginMs,
    timeoutMs: Math.min(timeoutMs, ttlMs - marginMs),
    holder: { host, pid, label },
    /** Unique to this `createLocks`, also within a process. */
    holderId: `${host}:${pid}:${randomUUID()}`,
  }
}

function resolveColumns(names: Partial<ColumnNames> = {}): ColumnNames {
  const columns = { ...COLUMNS, ...names }
  const entries = Object.entries(columns)
  for (const [part, name] of entries) {
    if (!(part in COLUMNS)) throw badOption(`columns.${part} is not one of ${Object.keys(COLUMNS).join(', ')}`)
    checkName(name, `columns.${part}`)
    if (name in OWN_COLUMNS)
      throw badOption(`columns.${part} cannot be "${name}": migrate() adds a column of that name`)
    const [first] = entries.find((other) => other[1] === name)!
    if (first !== part) throw badOption(`columns.${part} and columns.${first} are both "${name}"`)
  }
  return columns
}

export type AcquireRequest = Readonly<ReturnType<typeof resolveRequest>>

export function resolveRequest(settings: Settings, key: string, options: TryOptions) {
  const { info, ttlMs = settings.ttlMs, atLeastMs } = options
  checkKey(key)
  checkDuration('atLeastMs', atLeastMs)
  // For how long the holder counts on it, from when it asked.
  const trustMs = ttlMs - settings.marginMs
  // A shorter lease beats faster, so that two of its heartbeats may fail too.
  const heartbeatMs = Math.min(settings.heartbeatMs, Math.floor(trustMs / 3))
  if (!isTimer(ttlMs) || heartbeatMs < 1)
    throw badOption(`ttlMs must be whole milliseconds, more than marginMs (${settings.marginMs}), not ${ttlMs}`)
  return { key, info: infoJson(info), ttlMs, trustMs, heartbeatMs, atLeastMs: atLeastMs || null }
}

/** What a timer can wait for. */
const isTimer = (ms: unknown) => Number.isInteger(ms) && (ms as number) >= 0 && (ms as number) <= MAX_TIMER_MS

/** A text that a row of the database can hold. */
function isStorable(text: unknown): text is string {
  return typeof text === 'string' && !text.includes('\0') && text.isWellFormed()
}

export function checkKey(key: string): void {
  if (!isStorable(key) || key === '' || Buffer.byteLength(key) > 1024)
    throw new LockError('LOCK_BAD_KEY', 'a key is a text of 1 to 1,024 bytes without NUL')
}

/** A century: more than anyone means, and an interval can hold it. */
const MAX_DURATION_MS = 100 * 366 * 86_400_000

export function checkDuration(name: string, ms: number | undefined, maxMs = MAX_DURATION_MS): void {
  if (ms !== undefined && !(typeof ms === 'number' && ms >= 0 && ms <= maxMs))
    throw badOption(`${name} must be milliseconds of 0 to ${maxMs}, not ${ms}`)
}

export function infoJson(info: unknown): string | null {
  if (info === undefined) return null
  try {
    const text = JSON.stringify(info)
    // Postgres refuses NUL and lone surrogates in jsonb; JSON.stringify escapes both.
    if (text !== undefined && !/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/.test(text)) return text
  } catch (error) {
    throw badOption(`info must be what JSON can hold: ${(error as Error).message}`, error)
  }
  throw badOption('info must be what JSON, and a row of Postgres, can hold')
}
