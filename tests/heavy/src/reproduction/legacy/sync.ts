/**
 * The incumbent's drivers, as a process whose argument is JSON. The old cron job: all sources one after the other, under
 * locks that nothing refreshes. Its first fix (with `refreshMs`): one source, a budget that the loops over files look
 * at, content that is stored already passed over, and a lock with a sign of life.
 */
import pg from 'pg'
import { breakOldLocks, refreshLock, releaseLock, takeLock } from './lock.ts'
import { syncSource } from './sync-source.ts'

export interface LegacyArguments {
  readonly database: string
  readonly embeddingUrl: string
  readonly sources: readonly string[]
  readonly ttlMs: number
  readonly refreshMs?: number
  readonly budgetMs?: number
  readonly breakOlderThanMs?: number
}

/** A line of JSON each; a pipe takes it at once, so that a kill loses none. */
export type LegacyEvent =
  | { readonly begin: string }
  | { readonly read: string; readonly hash: string }
  | { readonly end: string; readonly status: 'done' | 'partial' }
  | { readonly end: string; readonly status: 'locked'; readonly holderPid: number }

const emit = (event: LegacyEvent) => process.stdout.write(`${JSON.stringify(event)}\n`)

const { database, embeddingUrl, sources, ttlMs, refreshMs, budgetMs, breakOlderThanMs }: LegacyArguments = JSON.parse(
  process.argv[2]!,
)
const db = new pg.Client({ connectionString: database })
await db.connect()
if (breakOlderThanMs !== undefined) await breakOldLocks(db, breakOlderThanMs)
const signal = budgetMs === undefined ? undefined : AbortSignal.timeout(budgetMs)
for (const source of sources) {
  const key = `sync:${source}`
  const refresh = refreshMs && setInterval(() => void refreshLock(db, key, ttlMs), refreshMs)
  emit({ begin: source })
  const holderPid = await takeLock(db, key, ttlMs)
  if (holderPid !== null) {
    emit({ end: source, status: 'locked', holderPid })
    process.exitCode = 1
  } else {
    const onRead = (read: string, hash: string) => emit({ read, hash })
    const status = await syncSource(db, source, { embeddingUrl, skipStored: refreshMs !== undefined, signal, onRead })
    await releaseLock(db, key)
    emit({ end: source, status })
  }
  if (refresh) clearInterval(refresh)
}
await db.end()
