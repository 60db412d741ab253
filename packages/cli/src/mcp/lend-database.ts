import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { closeDatabase, type Database, explainRefusal, isEmbedded, openDatabase } from '@tidemark/sync-core'
import { missingDatabase } from '../missing-database.ts'

/** How long a database stays open after it was used: an embedded one belongs to one process, which a sync wants to be. */
const IDLE_MS = 3_000
/** How long to wait for another process that has an embedded one: most syncs are over by then. */
const WAIT_MS = 10_000

/** Opens a database read-only when it is used, and closes it some time after. */
export function lendDatabase(address: string) {
  let opened: Promise<Database> | undefined
  let users = 0
  let timer: NodeJS.Timeout | undefined
  const ending = new AbortController()
  const open = () =>
    isEmbedded(address) && !existsSync(address)
      ? missingDatabase(resolve(address))
      : openDatabase(address, { readOnly: true, waitMs: WAIT_MS, label: 'tidemark mcp', signal: ending.signal })
  const closeIdle = async () => {
    clearTimeout(timer)
    const closing = opened
    opened = undefined
    const db = await closing?.catch(() => undefined)
    if (db) await closeDatabase(db, () => {})
  }
  return {
    async use<T>(work: (db: Database) => Promise<T>): Promise<T> {
      clearTimeout(timer)
      users++
      try {
        opened ??= open()
        const db = await opened
        return await work(db).catch(async (error) => {
          await explainRefusal(db, error)
          throw error
        })
      } catch (error) {
        // One that did not open is opened anew by the next call.
        await opened?.catch(() => {
          opened = undefined
        })
        throw error
      } finally {
        if (--users === 0 && !ending.signal.aborted) timer = setTimeout(closeIdle, IDLE_MS)
      }
    },
    /** Closes it for good, also while it is waited for: who ends does not wait for another process. */
    async close() {
      ending.abort(new Error('the server has ended'))
      await closeIdle()
    },
  }
}
