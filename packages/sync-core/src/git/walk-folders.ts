/**
 * The folders of a commit as git stores them, each checked to be what git would write. `git ls-tree` prints names with a
 * slash, or the same name twice, as if they were files of other folders.
 */
import { SyncError } from '../sync-error.ts'
import { startObjectReader } from './objects.ts'
import { quotePath } from './quote-path.ts'

/** A folder that lists a million files has some 50 MB. */
const MAX_FOLDER_BYTES = 256 * 1024 * 1024

/** Deeper than anyone's folders. */
const MAX_DEPTH = 100

/** A commit of a repository, as it is read. */
export interface CommitTree {
  /** Of the repository. */
  readonly folder: string
  readonly commit: string
  readonly signal: AbortSignal
}

/** A folder of a tree; `oid` is that of its tree object, or what git knows it by. */
export interface Folder {
  readonly path: string
  readonly oid: string
}

export interface FolderEntry {
  /** The bytes of its name, each as one character. */
  readonly bytes: string
  /** What it is ordered by: its name, a folder's with a slash behind it. */
  readonly key: string
  readonly mode: string
  readonly oid: string
  readonly isFolder: boolean
}

/**
 * Reads folders, and then those that were added while they were looked at, each with its entries, which are checked as
 * they are taken.
 *
 * @throws {SyncError} `GIT_FAILED` naming the first path that cannot be one.
 */
export async function* walkFolders<T extends Folder>(tree: CommitTree, first: readonly T[]) {
  const { folder: repository, signal } = tree
  const reading = { type: 'tree', oidOf: ({ oid }: T) => oid, maxBytes: MAX_FOLDER_BYTES, signal } as const
  const reader = await startObjectReader(repository, reading)
  try {
    for (let level = first; level.length > 0; ) {
      const next: T[] = []
      for await (const { item: folder, object } of reader.read(level)) {
        refuseTooDeep(tree, folder.path)
        if (object.content === null) throw damagedTree(tree, folder.path, 'lists more than a folder can have')
        const add = (...folders: T[]) => void next.push(...folders)
        yield { folder, entries: readEntries(tree, folder.path, object.content), add }
      }
      level = next
    }
  } finally {
    await reader.stop()
  }
}

/** The modes that git writes, or has written: of folders, files, symlinks and submodules. */
const MODES = /^0?40000$|^100\d{3}$|^120000$|^160000$/
const NO_NAMES = /^(|\.|\.\.|\.git)$/i
const LONGEST_NO_NAME = 4

/**
 * The records of a tree object, `<mode> <name>\0<id>`, in the byte order of their keys. A commit of many folders passes
 * all entries of those that it changes through here, so most cost no search, no pattern and no set.
 */
function* readEntries(tree: CommitTree, parent: string, content: Buffer): Generator<FolderEntry> {
  const oidBytes = tree.commit.length / 2
  // Only a folder can have the name of a file that is not right before it.
  const names = content.includes('40000 ') ? new Set<string>() : null
  // Most have the mode of the one before, which is not looked at again.
  let [mode, before] = ['100644', '']
  for (let start = 0; start < content.length; ) {
    const space = endOf(content, start, 0x20)
    const nul = endOf(content, space, 0)
    const end = nul + 1 + oidBytes
    if (end > content.length) throw damagedTree(tree, parent, 'breaks off')
    const isOtherMode = !isText(content, start, space, mode)
    if (isOtherMode) mode = content.toString('latin1', start, space)
    const bytes = content.toString('latin1', space + 1, nul)
    const isFolder = mode.endsWith('40000')
    const key = isFolder ? `${bytes}/` : bytes
    const refuse = (what: string) => damagedTree(tree, joinPath(parent, bytes), what)
    if (bytes.includes('/')) throw refuse('has a slash in its name')
    if (bytes.length <= LONGEST_NO_NAME && NO_NAMES.test(bytes)) throw refuse('has a name that no file can have')
    if (isOtherMode && !MODES.test(mode)) throw refuse(`is of a type that no file has (${mode})`)
    if (key === before || names?.has(bytes)) throw refuse('is there twice')
    if (key < before) throw refuse('is not in its place')
    names?.add(bytes)
    before = key
    yield { bytes, key, mode, oid: content.toString('hex', nul + 1, end), isFolder }
    start = end
  }
}

/** Where the next such byte is, or the end: over the few bytes of a name faster than `indexOf`. */
function endOf(content: Buffer, start: number, byte: number): number {
  let at = start
  while (at < content.length && content[at] !== byte) at++
  return at
}

/** Whether ASCII text stands between two places. */
function isText(content: Buffer, start: number, end: number, text: string): boolean {
  if (end - start !== text.length) return false
  for (let i = 0; i < text.length; i++) if (content[start + i] !== text.charCodeAt(i)) return false
  return true
}

/** The path of an entry of a folder; that of the whole tree is empty. */
export function joinPath(parent: string, bytes: string): string {
  const name = Buffer.from(bytes, 'latin1').toString()
  return parent === '' ? name : `${parent}/${name}`
}

function refuseTooDeep(tree: CommitTree, path: string): void {
  if (path.split('/').length > MAX_DEPTH) throw damagedTree(tree, path, `is more than ${MAX_DEPTH} folders deep`)
}

/** Read on, such a tree would have a path imported that is none, or that is there already. */
function damagedTree({ folder, commit }: CommitTree, path: string, what: string): SyncError {
  const message = `the tree of ${commit} in ${folder} is damaged: ${quotePath(path)} ${what}`
  return new SyncError('GIT_FAILED', message, 'Check the repository with: git fsck')
}
