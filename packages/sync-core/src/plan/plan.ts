import { breathing } from '../breathe.ts'
import type { Database } from '../database/database.ts'
import type { Repository } from '../git/repository.ts'
import { PARSER_VERSION } from '../parse/parser-version.ts'
import { countPages, type StoredPage } from '../store/read-pages.ts'
import { readQuarantine } from '../store/read-quarantine.ts'
import { SyncError } from '../sync-error.ts'
import { byteOrder } from './byte-order.ts'
import { candidatesOf, type PassedOver, type RefusedPath, type Selection } from './candidates.ts'
import { sidesOf } from './differences.ts'
import { type PackedList, packedList } from './packed-list.ts'
import { findRenames, NO_RENAMES, type Rename } from './renames.ts'

/** A file whose blob is to be read and stored: as a new page, or over the page of that id. */
export interface Write {
  readonly id: string | null
  readonly path: string
  readonly blobOid: string
  /** What the page at this path holds now; null for a new page. */
  readonly oldBlobOid: string | null
}

/** A page whose file is gone. */
export interface Delete {
  readonly id: string
  readonly path: string
  readonly blobOid: string
}

/**
 * All that parts the pages of a source from a commit's tree. Followed in the order of the fields, whole or in part,
 * it never makes two pages claim one path; and what is left of it is what the next plan finds.
 */
export interface Plan {
  readonly refused: readonly RefusedPath[]
  /** Paths in quarantine whose file is gone. */
  readonly released: readonly string[]
  readonly renames: Iterable<Rename>
  /** New and changed files in the order of their paths. */
  readonly writes: Iterable<Write>
  readonly deletes: Iterable<Delete>
  /** What was seen in the tree and cannot be a page of it. */
  readonly passedOver: PassedOver
  readonly counts: {
    readonly imports: number
    readonly updates: number
    readonly renames: number
    readonly deletes: number
    /** Pages that there are before the plan, where it deletes any; else 0. */
    readonly stored: number
    /** Files that are in quarantine and have not changed. */
    readonly setAsideStill: number
  }
}

export interface Planning {
  readonly db: Database
  readonly sourceId: string
  readonly repository: Repository
  readonly commit: string
  /** A commit whose tree is here and that the pages are known to equal; null where there is none. */
  readonly since: string | null
  readonly selection: Selection
  /** Pages last written before that moment of the database's clock are written again, as if they had changed. */
  readonly rewriteBefore: Date | null
  /** Try again what is in quarantine, changed or not. */
  readonly retryQuarantined: boolean
  readonly signal: AbortSignal
}

/** Compares a commit's files with the pages by one pass over both, each a stream in the byte order of its paths. */
export async function makePlan(planning: Planning): Promise<Plan> {
  const { db, sourceId, selection, retryQuarantined } = planning
  const sides = await sidesOf(planning)
  const candidates = candidatesOf(selection)
  const quarantine = await readQuarantine(db, sourceId)
  const writes = packedList<Write>()
  const vanished = packedList<Delete>()
  const vanish = ({ id, path, blobOid }: StoredPage) => vanished.push({ id, path, blobOid })
  const refused: RefusedPath[] = []
  const released = new Set([...quarantine.keys()].filter(sides.covers))
  let updates = 0
  let setAsideStill = quarantine.size - released.size

  const pages = oneByOne(sides.pages)
  try {
    let page = await pages.next()
    let before = ''
    for await (const piece of sides.files) {
      for (const entry of piece) {
        const file = candidates.of(entry)
        if (file === null) continue
        if (byteOrder(before, file.path) >= 0 && !('code' in file)) throw notInOrder(planning, file.path)
        before = file.path
        const setAside = quarantine.get(file.path)
        if (setAside) {
          released.delete(file.path)
          // Not tried again; a page that still has the path is in the way, and goes as if the file had gone.
          const unchanged = setAside.blobOid === file.blobOid && setAside.parserVersion === PARSER_VERSION
          if (unchanged && !retryQuarantined) {
            setAsideStill++
            continue
          }
        }
        if ('code' in file) {
          refused.push(file)
          continue
        }
        while (page && byteOrder(page.path, file.path) < 0) {
          vanish(page)
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
    for (; page; page = await pages.next()) vanish(page)
  } finally {
    await pages.end()
  }
  // Asked only where the guard will look at it: counting reads an index of all pages.
  const stored = vanished.length > 0 ? await countPages(db, sourceId) : 0
  const differences = { refused, released: [...released], writes, updates, vanished, stored, setAsideStill }
  return withRenames(differences, candidates.passedOver)
}

/** Read on, such a tree would have a path imported that is there already. */
function notInOrder({ commit, repository }: Planning, path: string): SyncError {
  return new SyncError(
    'GIT_FAILED',
    `the tree of ${commit} in ${repository.folder} is damaged: "${path}" is not in its place`,
    'Check the repository with: git fsck',
  )
}

interface Differences {
  readonly refused: RefusedPath[]
  readonly released: string[]
  readonly writes: PackedList<Write>
  /** How many of the writes are over a page. */
  readonly updates: number
  readonly vanished: PackedList<Delete>
  readonly stored: number
  readonly setAsideStill: number
}

async function withRenames(differences: Differences, passedOver: PassedOver): Promise<Plan> {
  const { refused, released, writes, updates, vanished, stored, setAsideStill } = differences
  // Of a first import nothing can have moved, and it is not looked through in vain.
  const mayMove = updates + vanished.length > 0
  const { renames, chains, arrived, moved } = mayMove ? await findRenames(writes, vanished) : NO_RENAMES
  return {
    refused,
    released,
    renames,
    writes: renames.length > 0 ? await without(writes, arrived) : writes,
    deletes: renames.length > 0 ? await without(vanished, moved) : vanished,
    passedOver,
    // A chain begins at one path that is gone and ends at one that is new; between them each is another's.
    counts: {
      imports: writes.length - updates - chains,
      updates: updates - (renames.length - chains),
      renames: renames.length,
      deletes: vanished.length - chains,
      stored,
      setAsideStill,
    },
  }
}

/** The records of a list whose position is not marked. */
async function without<T>(list: PackedList<T>, marks: Uint8Array): Promise<PackedList<T>> {
  const breathe = breathing()
  const rest = packedList<T>()
  let at = 0
  for (const record of list) {
    if (!marks[at++]) rest.push(record)
    await breathe()
  }
  return rest
}

/** Takes single pages out of a stream of arrays; waits only where the next array is needed. */
function oneByOne(arrays: AsyncGenerator<StoredPage[]>) {
  let current: StoredPage[] = []
  let at = 0
  return {
    async next(): Promise<StoredPage | undefined> {
      if (at >= current.length) {
        current = (await arrays.next()).value ?? []
        at = 0
      }
      return current[at++]
    },
    end: () => arrays.return(undefined),
  }
}
