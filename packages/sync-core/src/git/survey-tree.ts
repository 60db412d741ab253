/**
 * How much a tree holds, before any of it is listed. Each folder is read once however often it stands in the tree, so a
 * few kilobytes that stand for more files than a disk could hold are counted in no time; git would list them for ever.
 */
import { createYielder } from '../yield-event-loop.ts'
import { type CommitTree, joinPath, walkFolders } from './walk-folders.ts'

/** How much there is below a folder. */
export interface TreeSize {
  readonly files: number
  readonly folders: number
}

interface Contents {
  files: number
  /** By their ids. */
  readonly folders: string[]
}

const emptyContents = (): Contents => ({ files: 0, folders: [] })

/**
 * Counts what a commit has, in one of its folders or in all.
 *
 * @throws {SyncError} `GIT_FAILED` naming the first path that cannot be one, there or in a folder above.
 */
export async function surveyTree(tree: CommitTree, subpath?: string): Promise<TreeSize> {
  const inside = subpath === undefined ? '' : `${subpath}/`
  const root = { path: '', oid: `${tree.commit}^{tree}` }
  const known = new Map([[root.oid, emptyContents()]])
  const yieldEventLoop = createYielder()
  for await (const { folder, entries, add } of walkFolders(tree, [root])) {
    const counts = `${folder.path}/`.startsWith(inside)
    const contents = known.get(folder.oid)!
    for (const { bytes, oid, isFolder } of entries) {
      await yieldEventLoop()
      if (!isFolder) {
        if (counts) contents.files++
        continue
      }
      const path = joinPath(folder.path, bytes)
      if (!counts && !inside.startsWith(`${path}/`)) continue
      contents.folders.push(oid)
      if (known.has(oid)) continue
      known.set(oid, emptyContents())
      add({ path, oid })
    }
  }
  return addUp(known, root.oid)
}

/** The size of a folder from those of the folders in it; not by recursion, which a chain of them could make too deep. */
function addUp(contents: ReadonlyMap<string, Contents>, root: string): TreeSize {
  const sizes = new Map<string, TreeSize>()
  const open = [root]
  for (let oid = open.at(-1); oid !== undefined; oid = open.at(-1)) {
    const { files, folders } = contents.get(oid)!
    const before = open.length
    for (const each of folders) if (!sizes.has(each)) open.push(each)
    if (open.length > before) continue
    const size = { files, folders: folders.length }
    for (const each of folders) {
      size.files += sizes.get(each)!.files
      size.folders += sizes.get(each)!.folders
    }
    sizes.set(oid, size)
    open.pop()
  }
  return sizes.get(root)!
}
