import type { TreeEntry } from '../git/tree.ts'
import { PARSER_VERSION } from '../parse/parser-version.ts'
import { SyncError } from '../sync-error.ts'
import { forEachYielding } from '../yield-event-loop.ts'
import { byteOrder } from './byte-order.ts'
import { type CompressedList, compressedList } from './compressed-list.ts'
import { fileFilter, type RejectedPath, type Selection, type SkippedEntries } from './eligible.ts'
import type { Delete, Plan, QuarantinedFile, StoredPage, Write } from './plan.ts'
import { findRenames, NO_RENAMES } from './renames.ts'

/** The two sides of a comparison, each a stream in the byte order of its paths. */
export interface ComparisonInputs {
  readonly files: AsyncIterable<TreeEntry[]>
  readonly pages: AsyncGenerator<StoredPage[]>
  /** Whether a path is compared; what is in quarantine elsewhere stays there. */
  readonly covers: (path: string) => boolean
  readonly quarantine: ReadonlyMap<string, QuarantinedFile>
  /** Counts all pages of the source; called only where some of them are gone, because it reads a whole index. */
  readonly countPages: () => Promise<number>
}

export interface CompareOptions {
  readonly selection: Selection
  /** Try again what is in quarantine, changed or not. */
  readonly retryQuarantined: boolean
  /** What the files are those of, for an error. */
  readonly tree: string
}

/** Compares a commit's files with the pages by one pass over both. */
export async function makePlan(inputs: ComparisonInputs, options: CompareOptions): Promise<Plan> {
  const { files, quarantine, covers, countPages } = inputs
  const filter = fileFilter(options.selection)
  const writes = compressedList<Write>()
  const removed = compressedList<Delete>()
  const remove = ({ id, path, blobOid }: StoredPage) => removed.push({ id, path, blobOid })
  const rejected: RejectedPath[] = []
  const cleared = new Set([...quarantine.keys()].filter(covers))
  let updates = 0
  let stillQuarantined = quarantine.size - cleared.size

  const pages = cursor(inputs.pages)
  try {
    let page = await pages.next()
    let before = ''
    for await (const entries of files) {
      for (const entry of entries) {
        const file = filter.classify(entry)
        if (file === null) continue
        if (byteOrder(before, file.path) >= 0 && !('code' in file)) throw outOfOrder(options.tree, file.path)
        before = file.path
        const quarantined = quarantine.get(file.path)
        if (quarantined) {
          cleared.delete(file.path)
          // Not tried again; a page that still has the path is in the way, and goes as if the file had gone.
          const unchanged = quarantined.blobOid === file.blobOid && quarantined.parserVersion === PARSER_VERSION
          if (unchanged && !options.retryQuarantined) {
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
          page = await pages.next()
        }
        if (page?.path !== file.path) writes.push({ id: null, ...file, oldBlobOid: null })
        else {
          if (page.blobOid !== file.blobOid || page.parserVersion !== PARSER_VERSION) {
            writes.push({ id: page.id, ...file, oldBlobOid: page.blobOid })
            updates++
          }
          page = await pages.next()
        }
      }
    }
    for (; page; page = await pages.next()) remove(page)
  } finally {
    await pages.end()
  }
  const stored = removed.length > 0 ? await countPages() : 0
  const differences = { rejected, quarantineCleared: [...cleared], writes, updates, removed, stored, stillQuarantined }
  return withRenames(differences, filter.skipped)
}

/** Read on, such a tree would have a path imported that is there already. */
function outOfOrder(tree: string, path: string): SyncError {
  const message = `the tree of ${tree} is damaged: "${path}" is not in its place`
  return new SyncError('GIT_FAILED', message, 'Check the repository with: git fsck')
}

interface Differences {
  readonly rejected: RejectedPath[]
  readonly quarantineCleared: string[]
  readonly writes: CompressedList<Write>
  /** How many of the writes are over a page. */
  readonly updates: number
  readonly removed: CompressedList<Delete>
  readonly stored: number
  readonly stillQuarantined: number
}

async function withRenames(differences: Differences, skipped: SkippedEntries): Promise<Plan> {
  const { rejected, quarantineCleared, writes, updates, removed, stored, stillQuarantined } = differences
  // A first import has no renames to look for.
  const mayMove = updates + removed.length > 0
  const { renames, chains, renamedWrites, renamedPages } = mayMove ? await findRenames(writes, removed) : NO_RENAMES
  return {
    rejected,
    quarantineCleared,
    renames,
    writes: renames.length > 0 ? await omitMarked(writes, renamedWrites) : writes,
    deletes: renames.length > 0 ? await omitMarked(removed, renamedPages) : removed,
    skipped,
    // A chain begins at one path that is gone and ends at one that is new; between them each is another's.
    counts: {
      imports: writes.length - updates - chains,
      updates: updates - (renames.length - chains),
      renames: renames.length,
      deletes: removed.length - chains,
      stored,
      stillQuarantined,
    },
  }
}

/** The records of a list whose position is not marked. */
async function omitMarked<T>(list: CompressedList<T>, marks: Uint8Array): Promise<CompressedList<T>> {
  const rest = compressedList<T>()
  await forEachYielding(list, (record, index) => {
    if (!marks[index]) rest.push(record)
  })
  return rest
}

/** Takes single pages out of a stream of arrays; waits only where the next array is needed. */
function cursor(arrays: AsyncGenerator<StoredPage[]>) {
  let current: StoredPage[] = []
  let index = 0
  return {
    async next(): Promise<StoredPage | undefined> {
      if (index >= current.length) {
        current = (await arrays.next()).value ?? []
        index = 0
      }
      return current[index++]
    },
    end: () => arrays.return(undefined),
  }
}
