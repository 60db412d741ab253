import { once } from 'node:events'
import { PARENT_PIPE } from '../../exit-with-parent.ts'
import { forkSibling } from '../../fork-sibling.ts'
import { ABORTED, raceAbort } from '../../race-abort.ts'
import type { Notification, Reply, Request, Result, Statement } from './pglite-process.ts'
import { closeSpool, openSpool, pack, unpack } from './spool.ts'

/** What a statement may take after its signal: most end well in that time, and then nothing was done in vain. */
const KILL_AFTER_MS = 3_000

interface Call extends PromiseWithResolvers<any[]> {
  /** Its place in the spool. */
  readonly slot: number
  readonly signal: AbortSignal | undefined
}

/** The first place that no call has. */
function freeSlot(pending: readonly Call[]): number {
  const taken = new Set(pending.map(({ slot }) => slot))
  const free = pending.findIndex((_, index) => !taken.has(index))
  return free < 0 ? pending.length : free
}

/** The process that has the database of a folder, with the statements that it has not answered yet. */
export type Child = ReturnType<typeof startChild>

/**
 * Starts the process of a database. It answers in order. One that does not answer in time is killed, as a full disk may
 * leave it in an endless loop; what was committed is in its files, and another process goes on with them.
 *
 * @param lockFd the open file of the folder's lock, which the process then has too, until it ends.
 * @param onNotification called with what comes on a channel that it listens to.
 */
export function startChild(folder: string, lockFd: number, onNotification: (notification: Notification) => void) {
  const spool = openSpool(folder)
  // Its files come after that pipe.
  const [args, files] = spool === null ? [[], [lockFd]] : [[`${PARENT_PIPE + 2}`], [lockFd, spool]]
  const { child } = forkSibling(import.meta.url, 'pglite-process', [folder, ...args], files)
  const exited = once(child, 'exit').catch(() => {})
  const pending: Call[] = []
  let fault: Error | undefined
  let killed = false
  let killTimer: NodeJS.Timeout | undefined
  // A forgotten close() must not keep this process alive, an unanswered statement must.
  const keepAlive = (wanted: boolean) => {
    const change = wanted ? 'ref' : 'unref'
    child[change]()
    child.channel?.[change]()
  }
  const kill = () => {
    killed = true
    keepAlive(true)
    child.kill('SIGKILL')
  }
  /** Only the first one is being run: those behind it are not late by themselves. */
  const watch = () => {
    if (killTimer === undefined && pending[0]?.signal?.aborted) killTimer = setTimeout(kill, KILL_AFTER_MS)
  }
  const end = (error: Error) => {
    fault ??= error
    clearTimeout(killTimer)
    for (const { reject } of pending.splice(0)) reject(error)
  }
  child.on('message', (message: Reply | Notification) => {
    if ('channel' in message) return onNotification(message)
    const call = pending.shift()
    if (!call) return
    const { rows, error } = unpack(message.packed, spool, call.slot) as Result
    clearTimeout(killTimer)
    killTimer = undefined
    // After a panic its memory is not to be trusted, and its next statement may never end.
    if (error?.severity === 'PANIC') kill()
    else if (pending.length === 0) keepAlive(false)
    if (error) call.reject(Object.assign(new Error(error.message), error))
    else call.resolve(rows)
    watch()
  })
  child.on('error', end).on('exit', () => {
    closeSpool(spool)
    end(new Error('the embedded database has ended'))
  })
  return {
    hasEnded: () => fault !== undefined,
    /** Whether it was killed here, so that another one can go on once it has stopped. */
    wasKilled: () => killed,
    /** Runs a statement; null closes the database. @throws the database's error, or the signal's reason. */
    async send(text: string | null, params: unknown[] = [], signal?: AbortSignal): Promise<any[]> {
      if (fault) throw fault
      const slot = freeSlot(pending)
      const packed = pack({ text, params } satisfies Statement, spool, slot)
      const call: Call = { ...Promise.withResolvers<any[]>(), signal, slot }
      pending.push(call)
      keepAlive(true)
      signal?.addEventListener('abort', watch, { once: true })
      watch()
      child.send({ packed, slot } satisfies Request, () => {})
      try {
        const rows = await raceAbort(call.promise, signal, KILL_AFTER_MS)
        if (rows !== ABORTED) return rows
      } catch (error) {
        if (killed) signal?.throwIfAborted()
        throw error
      } finally {
        signal?.removeEventListener('abort', watch)
      }
      throw signal!.reason
    },
    async stop(): Promise<void> {
      kill()
      await exited
    },
  }
}
