import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { closeDatabase, type Database, isEmbedded, openDatabase } from '@tidemark/sync-core'
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
  const open = () =>
    isEmbedded(address) && !existsSync(address)
      ? missingDatabase(resolve(address))
      : openDatabase(address, { readOnly: true, waitMs: WAIT_MS, label: 'tidemark mcp' })
  const close = async () => {
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
        return await work(await opened)
      } catch (error) {
        // Whatever it was, the next call begins with another one.
        if (users === 1) await close()
        throw error
      } finally {
        if (--users === 0) timer = setTimeout(close, IDLE_MS)
      }
    },
    close,
  }
}
