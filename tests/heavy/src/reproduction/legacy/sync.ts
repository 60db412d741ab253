/**
 * The incumbent's drivers, as a process whose argument is JSON: the sources that it names, one after the other, each
 * under its lock, and then what is left to embed. The old cron job names all of them; the first fix names one, with a
 * budget.
 */
import pg from 'pg'
import { embedStale } from '../embed-stale.ts'
import { breakOldLocks, type LockTimes, withLock } from './lock.ts'
import { syncSource } from './sync-source.ts'

export interface LegacyArguments extends LockTimes {
  readonly database: string
  readonly embeddingUrl: string
  /** What a request of it takes. */
  readonly embeddingMs: number
  /** With what it takes one worker to store a page of them. */
  readonly sources?: readonly { readonly id: string; readonly pageMs: number }[]
  /** Whether what has no embedding gets one at the end. */
  readonly embeds?: boolean
  readonly budgetMs?: number
  readonly breakOlderThanMs?: number
}

/** A line of JSON each; a pipe takes it at once, so that a kill loses none. */
export type LegacyEvent =
  | { readonly begin: string }
  | { readonly read: number }
  | { readonly end: 'done' | 'partial' | 'locked' }

const emit = (event: LegacyEvent) => process.stdout.write(`${JSON.stringify(event)}\n`)

const { database, embeddingUrl, embeddingMs, ...settings }: LegacyArguments = JSON.parse(process.argv[2]!)
const { sources = [], embeds, budgetMs, breakOlderThanMs } = settings
const db = new pg.Pool({ connectionString: database })
if (breakOlderThanMs !== undefined) await breakOldLocks(db, breakOlderThanMs)
const signal = budgetMs === undefined ? undefined : AbortSignal.timeout(budgetMs)
for (const { id, pageMs } of sources) {
  emit({ begin: id })
  const work = { embeddingUrl, embeddingMs, pageMs, signal, onRead: () => emit({ read: 1 }) }
  emit({ end: (await withLock(db, `sync:${id}`, settings, () => syncSource(db, id, work))) ?? 'locked' })
}
if (embeds) await embedStale(db, embeddingUrl)
await db.end()
