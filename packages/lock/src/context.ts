import { createEmit } from './events.ts'
import { createHeartbeat } from './heartbeat.ts'
import { badOption } from './lock-error.ts'
import { type LocksOptions, resolveSettings } from './options.ts'
import { answerWithin, type Queryable, run } from './queryable.ts'
import { statementsFor } from './statements.ts'
import { createWakeups } from './wakeups.ts'

/** What the parts of one `createLocks` share. */
export type LocksContext = ReturnType<typeof createContext>

export function createContext(db: Queryable, options: LocksOptions) {
  const connections = options.heartbeat ? [options.heartbeat, db] : [db]
  if (connections.some((each) => typeof each?.query !== 'function')) {
    throw badOption('a database must have query(text, params): a pg.Pool, a pg.Client or a PGlite')
  }
  const settings = resolveSettings(options)
  const statements = statementsFor(settings, { notify: options.listen !== undefined })
  const heartbeat = createHeartbeat(connections, statements.renew)
  const closing = new AbortController()
  const background = new Set<Promise<unknown>>()
  const within = <T>(statement: Promise<T>, signal?: AbortSignal) => answerWithin(settings.timeoutMs, statement, signal)
  return {
    db,
    settings,
    statements,
    heartbeat,
    closing,
    emit: createEmit(options.onEvent),
    wakeups: options.listen ? createWakeups(options.listen, heartbeat.renewKey) : undefined,
    /** What `close()` releases: the leases that are held, and those lost whose row may still be ours. */
    unreleased: new Set<() => Promise<boolean>>(),
    /** Awaits a statement for no longer than one may take. */
    within,
    ask: (text: string, params: unknown[], signal?: AbortSignal) => within(run(db, text, params), signal),
    untilClosed: (signal: AbortSignal | undefined): AbortSignal =>
      signal ? AbortSignal.any([closing.signal, signal]) : closing.signal,
    /** What goes on after the call that began it, for `close()` to wait for. */
    background,
    track(work: Promise<unknown>): void {
      const tracked = work.catch(() => {}).finally(() => background.delete(tracked))
      background.add(tracked)
    },
  }
}
