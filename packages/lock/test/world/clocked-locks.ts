import type { Lease, LocksOptions, TryOptions } from '../../src/index.ts'
import { eventLog } from '../peers/event-log.ts'
import { type Answers, scriptedDatabase } from './scripted-database.ts'

/** Locks whose leases last for 1,000 ms, are trusted for 900 and renewed every 200, all by the fake clock. */
export function clockedLocks(answers: Answers = {}, options: LocksOptions = {}) {
  const database = scriptedDatabase(answers)
  const log = eventLog()
  const locks = database.locks({ ttlMs: 1_000, heartbeatMs: 200, marginMs: 100, onEvent: log.onEvent, ...options })
  const acquire = async (key = 'job', more: TryOptions = {}): Promise<Lease> => {
    const attempt = await locks.tryAcquire(key, more)
    if (!attempt.acquired) throw new Error(`"${key}" is held`)
    return attempt.lease
  }
  /** What was renewed, as times and keys. */
  const renewed = () =>
    database.sent.flatMap(({ kind, params, atMs }) =>
      kind === 'renew'
        ? [
            `${atMs}: ${JSON.parse(params[0])
              .map(({ key }: { key: string }) => key)
              .join(' ')}`,
          ]
        : [],
    )
  return { ...database, ...log, locks, acquire, renewed }
}
