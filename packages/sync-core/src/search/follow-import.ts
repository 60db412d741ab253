import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../database/database.ts'
import { type IndexUpdate, updateSearchIndex } from './update-index.ts'

/** An index that follows an import: what is in is found before all of it is. */
export type Follower = ReturnType<typeof followImport>

/** Has the index written batch by batch beside an import. Never throws: the next run finds what is missing. */
export function followImport(db: Database, { budget, ...update }: IndexUpdate) {
  const given = new AbortController()
  const ended = new AbortController()
  let batches = 0
  let changed = Promise.withResolvers<void>()
  const tell = () => {
    changed.resolve()
    changed = Promise.withResolvers()
  }
  const importing: IndexUpdate['importing'] = {
    batches: () => batches,
    async more(seen) {
      while (batches === seen && !ended.signal.aborted) await changed.promise
      return batches > seen
    },
    pause: (ms) => sleep(ms, undefined, { signal: ended.signal }).catch(() => {}),
  }
  const signal = AbortSignal.any([budget.signal, given.signal])
  const indexed = updateSearchIndex(db, { ...update, budget: { ...budget, signal }, importing })
  const end = () => {
    ended.abort()
    tell()
    return indexed
  }
  return {
    /** Tells it that more pages are in. */
    countBatch() {
      batches++
      tell()
    },
    /** Tells it that all pages are in, and waits for their entries. Returns why some are missing, or null. */
    finish: end,
    /** Gives it up, where the import has failed. */
    async giveUp() {
      given.abort()
      await end()
    },
  }
}
