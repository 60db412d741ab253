import type { TreeEntry } from '../git/tree.ts'
import { PARSER_VERSION } from '../parse/parser-version.ts'
import { byteOrder } from './byte-order.ts'
import { type CompressedList, compressedList } from './compressed-list.ts'
import { fileFilter, type RejectedPath, type Selection } from './eligible.ts'
import type { Delete, Plan, QuarantinedFile, Rename, StoredPage, Write } from './plan.ts'
import { findRenames } from './renames.ts'

/** The two sides of a comparison, each a stream in the byte order of its paths, and what else it goes by. */
export interface Comparison {
  readonly files: AsyncIterable<TreeEntry[]>
  readonly pages: AsyncIterable<StoredPage[]>
  /** Whether a path is compared; what is in quarantine elsewhere stays there. */
  readonly covers: (path: string) => boolean
  readonly quarantine: ReadonlyMap<string, QuarantinedFile>
  /** Counts all pages of the source; called only where some of them are gone, because it reads a whole index. */
  readonly countPages: () => Promise<number>
  readonly selection: Selection
  /** Try again what is in quarantine, changed or not. */
  readonly retryQuarantined: boolean
}

/** Compares a commit's files with the pages by one pass over both. */
export async function makePlan(comparison: Comparison): Promise<Plan> {
  const { files, quarantine, covers, countPages, retryQuarantined } = comparison
  const filter = fileFilter(comparison.selection)
  const writes = compressedList<Write>()
  const removed = compressedList<Delete>()
  const remove = ({ id, path, blobOid }: StoredPage) => removed.push({ id, path, blobOid })
  const otherFiles = compressedList<string>()
  const rejected: RejectedPath[] = []
  const cleared = new Set([...quarantine.keys()].filter(covers))
  let updates = 0
  let selected = 0
  let stillQuarantined = quarantine.size - cleared.size

  const nextPage = cursor(comparison.pages)
  let page = await nextPage()
  for await (const entries of files) {
    for (const entry of entries) {
      const file = filter.classify(entry)
      if (file === null) {
        if (filter.isLinkable(entry.path)) otherFiles.push(entry.path)
        continue
      }
      selected++
      const quarantined = quarantine.get(file.path)
      if (quarantined) {
        cleared.delete(file.path)
        // Not tried again; a page that still has the path is in the way, and goes as if the file had gone.
        const unchanged = quarantined.blobOid === file.blobOid && quarantined.parserVersion === PARSER_VERSION
        if (unchanged && !retryQuarantined) {
          stillQuarantined++
          continue
        }
      }
      if ('code' in file) {
        rejected.push(file)
        continue
      }
      while (page && byteOrder(page.path, file.path) < 0) {
        remove(page)
        page = await nextPage()
      }
      if (page?.path !== file.path) writes.push({ id: null, ...file, oldBlobOid: null })
      else {
        if (page.blobOid !== file.blobOid || page.parserVersion !== PARSER_VERSION) {
          writes.push({ id: page.id, ...file, oldBlobOid: page.blobOid })
          updates++
        }
        page = await nextPage()
      }
    }
  }
  for (; page; page = await nextPage()) remove(page)

  const stored = removed.length > 0 ? await countPages() : 0
  const { counts, ...lists } = await withRenames(writes, removed, updates)
  return {
    ...lists,
    rejected,
    quarantineCleared: [...cleared],
    otherFiles,
    selected,
    skipped: filter.skipped,
    stored,
    stillQuarantined,
    counts: { ...counts, filesQuarantined: rejected.length },
  }
}

async function withRenames(writes: CompressedList<Write>, removed: CompressedList<Delete>, updates: number) {
  // A first import has no renames to look for.
  const unmoved = { renames: compressedList<Rename>(), chains: 0, writes, deletes: removed }
  const { chains, ...lists } = updates + removed.length > 0 ? await findRenames(writes, removed) : unmoved
  const filesRenamed = lists.renames.length
  // A chain begins at one path that is gone and ends at one that is new; between them each is another's.
  const counts = {
    filesImported: writes.length - updates - chains,
    filesUpdated: updates - (filesRenamed - chains),
    filesRenamed,
    filesDeleted: removed.length - chains,
  }
  return { ...lists, counts }
}

/** Takes single pages out of a stream of arrays; waits only where the next array is needed. */
function cursor(arrays: AsyncIterable<StoredPage[]>): () => Promise<StoredPage | undefined> {
  const stream = arrays[Symbol.asyncIterator]()
  let current: StoredPage[] = []
  let index = 0
  return async () => {
    if (index >= current.length) {
      current = (await stream.next()).value ?? []
      index = 0
    }
    return current[index++]
  }
}
