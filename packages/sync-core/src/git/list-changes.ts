import { isUtf8 } from 'node:buffer'
import { createYielder } from '../yield-event-loop.ts'
import { ABSENT, type TreeEntry } from './tree.ts'
import { type CommitTree, type Folder, type FolderEntry, joinPath, walkFolders } from './walk-folders.ts'

/** One side of a folder that differs. */
interface Side extends Folder {
  readonly isNew: boolean
  /** Whether both commits have that folder. */
  readonly inBoth: boolean
}

/**
 * The paths at which a commit's tree differs from another's: what it has there, {@link ABSENT} where that is nothing.
 * Equal folders are not looked at. `git diff-tree` would find the same, but holds all of it in memory before it prints
 * any, however much a few kilobytes stand for.
 *
 * @returns null where more than `max` files and folders differ, or one of them has a name that is not UTF-8.
 * @throws {SyncError} `GIT_FAILED` naming the first path that cannot be one.
 */
export async function listChanges(tree: CommitTree, base: string, max: number): Promise<Map<string, TreeEntry> | null> {
  const changes = new Map<string, TreeEntry>()
  const yieldEventLoop = createYielder()
  let old: Iterable<FolderEntry> = []
  let count = 0
  for await (const { folder, entries, add } of walkFolders(
    tree,
    sides('', `${base}^{tree}`, `${tree.commit}^{tree}`),
  )) {
    // The newer side follows.
    if (folder.inBoth && !folder.isNew) {
      old = entries
      continue
    }
    const pair = folder.inBoth ? [old, entries] : folder.isNew ? [[], entries] : [entries, []]
    for (const [before, after] of mergeEntries(pair[0]!, pair[1]!)) {
      await yieldEventLoop()
      if (before?.oid === after?.oid && before?.mode === after?.mode) continue
      const { bytes, isFolder } = (after ?? before)!
      if (++count > max || !isUtf8(Buffer.from(bytes, 'latin1'))) return null
      const path = joinPath(folder.path, bytes)
      if (isFolder) add(...sides(path, before?.oid, after?.oid))
      else if (after) changes.set(path, { path, mode: after.mode, blobOid: after.oid })
      else changes.set(path, { path, mode: ABSENT, blobOid: '' })
    }
  }
  return changes
}

function sides(path: string, before: string | undefined, after: string | undefined): Side[] {
  const inBoth = before !== undefined && after !== undefined
  const old = before === undefined ? [] : [{ path, oid: before, isNew: false, inBoth }]
  return after === undefined ? old : [...old, { path, oid: after, isNew: true, inBoth }]
}

/** The entries of two folders side by side, those of one key together. */
function* mergeEntries(
  before: Iterable<FolderEntry>,
  after: Iterable<FolderEntry>,
): Generator<[before: FolderEntry | undefined, after: FolderEntry | undefined]> {
  const [olds, news] = [before[Symbol.iterator](), after[Symbol.iterator]()]
  const take = (entries: Iterator<FolderEntry>): FolderEntry | undefined => entries.next().value
  for (let [old, now] = [take(olds), take(news)]; old || now; ) {
    const [isOld, isNew] = [!now || (old && old.key <= now.key), !old || (now && now.key <= old.key)]
    yield [isOld ? old : undefined, isNew ? now : undefined]
    if (isOld) old = take(olds)
    if (isNew) now = take(news)
  }
}
