import { setTimeout as sleep } from 'node:timers/promises'
import { type Database, readChanges } from '@tidemark/sync-core'
import type { Violation } from './invariants.ts'

/** Few enough that a reader is behind for most of a wave. */
const CHANGES_PER_LIST = 40
const PAUSE_MS = 50

/** Reads the changes of a source list by list while all goes on, as an application does that keeps what they tell. */
export function followSource(db: Database, source: string, signal: AbortSignal) {
  const pages = new Map<string, string>()
  let cursor = '0'
  const readList = async () => {
    const list = await readChanges(db, source, { after: cursor, limit: CHANGES_PER_LIST, signal })
    for (const { change, pageId, path } of list.changes) {
      if (change === 'delete') pages.delete(pageId)
      else pages.set(pageId, path)
    }
    cursor = list.cursor
    return list.changes.length
  }
  // One list after another: an older one that comes in later would bring back what has changed since.
  let last: Promise<unknown> = Promise.resolve()
  const readNext = () => {
    const list = last.then(readList)
    last = list.catch(() => {})
    return list
  }
  const over = new AbortController()
  const following = (async () => {
    while (!over.signal.aborted) {
      // The server may be down just now.
      await readNext().catch(() => {})
      await sleep(PAUSE_MS, undefined, { signal: over.signal }).catch(() => {})
    }
  })()
  return {
    /** What it holds when it has read to the end, beside the pages that are there. */
    async verify(): Promise<Violation[]> {
      while ((await readNext()) > 0);
      const { rows } = await db.query<{ id: string; path: string }>(
        'SELECT id, path FROM tidemark.pages WHERE source_id = $1',
        [source],
      )
      const differing = rows.find(({ id, path }) => pages.get(id) !== path)
      if (differing) return [['followed', `${source}: ${differing.path} is ${pages.get(differing.id)} to a reader`]]
      if (pages.size > rows.length)
        return [['followed', `${source}: a reader has ${pages.size} pages where ${rows.length} are`]]
      return []
    },
    async [Symbol.asyncDispose]() {
      over.abort()
      await following
    },
  }
}
