import type { Page } from '../parse/page.ts'
import type { Rename, Write } from '../plan/plan.ts'
import { type Counts, noCounts } from '../run/outcome.ts'
import type { PageWrite, QuarantineWrite } from '../store/apply-batch.ts'

/** What one statement writes, and what it counts for. */
export type Batch = ReturnType<typeof createBatch>

interface Entry {
  readonly write: PageWrite
  readonly count: keyof Counts
  /** A cycle of renames is not cut: half of it would leave two pages with one path. */
  readonly cycle: number | null
}

export function createBatch(quarantineCleared: readonly string[] = [], entries: Entry[] = []) {
  const quarantined: QuarantineWrite[] = []
  const deletedIds: string[] = []
  let filesDeleted = 0
  return {
    ...{ quarantined, deletedIds, quarantineCleared },
    /** About what its statement carries. */
    bytes: 0,
    get pages(): PageWrite[] {
      return entries.map(({ write }) => write)
    },
    get counts(): Counts {
      const counts = { ...noCounts(), filesQuarantined: quarantined.length, filesDeleted }
      for (const { count } of entries) counts[count]++
      return counts
    },
    /** How many files it settles. */
    get size(): number {
      return entries.length + quarantined.length
    },
    get isEmpty(): boolean {
      return [entries, quarantined, deletedIds, quarantineCleared].every(({ length }) => length === 0)
    },

    add(item: Rename | Write, sizeBytes: number, page: Page) {
      const { id, path, blobOid } = item
      const write = { id, path, blobOid, sizeBytes, page }
      if ('from' in item)
        entries.push({ write: { ...write, from: item.from }, count: 'filesRenamed', cycle: item.cycle })
      else entries.push({ write, count: id === null ? 'filesImported' : 'filesUpdated', cycle: null })
      this.bytes += weigh(page)
    },
    /** Sets a file aside; a page that held an older state of it is of no commit any more and goes. */
    quarantine({ path, blobOid, code, message }: QuarantineWrite, pageId: string | null) {
      quarantined.push({ path, blobOid, code, message })
      if (pageId !== null) deletedIds.push(pageId)
    },
    delete(id: string) {
      deletedIds.push(id)
      filesDeleted++
    },
    /** Gives away about half of its pages, for a batch of their own. @returns null where they cannot be parted */
    halve(): Entry[] | null {
      const starts = entries.flatMap(({ cycle }, i) => (i > 0 && (cycle ?? -1) !== entries[i - 1]!.cycle ? [i] : []))
      const middle = starts.find((i) => i >= entries.length / 2) ?? starts.at(-1)
      return middle === undefined ? null : entries.splice(middle)
    },
    /** Sets all of its pages aside. */
    refuse(code: string, message: string) {
      for (const { write } of entries.splice(0)) this.quarantine({ ...write, code, message }, write.id)
    },
  }
}

/** A heading stands in each chunk under it, so a file may make far more than it has. */
function weigh({ content, chunks, links }: Page): number {
  let characters = content.length
  for (const { content, headingPath } of chunks) {
    characters += content.length
    for (const heading of headingPath) characters += heading.length
  }
  for (const { target } of links) characters += 2 * target.length
  return characters
}
