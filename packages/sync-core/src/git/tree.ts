import { isUtf8 } from 'node:buffer'
import { SyncError } from '../sync-error.ts'
import { gitStream } from './git.ts'
import type { Repository } from './repository.ts'

/** A file of a commit's tree. */
export interface TreeEntry {
  /** Path from the root, or its bytes where they are not UTF-8. */
  readonly path: string | Buffer
  /** Object id of the content, in hex. */
  readonly blobOid: string
  /** As git has it: 100644 and 100755 are files, 120000 a symlink, 160000 a submodule. */
  readonly mode: string
}

const NUL = 0
const TAB = 9

/**
 * The files of a commit's tree, in the byte order of their paths (that of `COLLATE "C"`), as git prints them.
 *
 * Yields one array for each piece that arrives, so that a tree of any size passes through without being held.
 */
export async function* listTree(
  repository: Repository,
  commit: string,
  signal: AbortSignal,
): AsyncGenerator<TreeEntry[]> {
  const child = gitStream(repository.folder, ['ls-tree', '-r', '-z', '--full-tree', commit], signal)
  try {
    let rest: Buffer = Buffer.alloc(0)
    for await (const piece of child.pieces) {
      const end = piece.lastIndexOf(NUL)
      if (end < 0) {
        rest = Buffer.concat([rest, piece])
        continue
      }
      const whole = Buffer.concat([rest, piece.subarray(0, end)])
      rest = piece.subarray(end + 1)
      yield parseRecords(whole)
    }
    await child.ended
  } catch (error) {
    signal.throwIfAborted()
    throw new SyncError(
      'GIT_FAILED',
      `git could not list the files of ${commit} in ${repository.folder}`,
      'Check the repository with: git fsck',
      error,
    )
  } finally {
    await child.stop()
  }
}

/** `<mode> <type> <oid>\t<path>` records between NULs. Decoded at once unless some path is not UTF-8. */
function parseRecords(records: Buffer): TreeEntry[] {
  if (isUtf8(records)) {
    return records
      .toString('utf8')
      .split('\0')
      .map((record) => {
        const tab = record.indexOf('\t')
        return { path: record.slice(tab + 1), ...parseHead(record.slice(0, tab)) }
      })
  }
  const entries: TreeEntry[] = []
  for (let start = 0; start < records.length; ) {
    const stop = records.indexOf(NUL, start)
    const end = stop < 0 ? records.length : stop
    const tab = records.indexOf(TAB, start)
    const path = records.subarray(tab + 1, end)
    const head = records.toString('latin1', start, tab)
    entries.push({ path: isUtf8(path) ? path.toString('utf8') : Buffer.from(path), ...parseHead(head) })
    start = end + 1
  }
  return entries
}

function parseHead(head: string): { mode: string; blobOid: string } {
  return { mode: head.slice(0, 6), blobOid: head.slice(head.lastIndexOf(' ') + 1) }
}

/** A path at which two trees differ; `entry` is null where the newer one has no file there. */
export interface Change {
  readonly path: string | Buffer
  readonly entry: TreeEntry | null
}

/** The paths at which two commits' trees differ, as `git diff-tree` finds them without looking at equal folders. */
export async function* listChanges(
  repository: Repository,
  from: string,
  to: string,
  signal: AbortSignal,
): AsyncGenerator<Change> {
  const args = ['diff-tree', '-r', '-z', '--raw', '--no-renames', '--no-abbrev', from, to]
  const child = gitStream(repository.folder, args, signal)
  try {
    let rest: Buffer = Buffer.alloc(0)
    let head: string | null = null
    for await (const piece of child.pieces) {
      const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece])
      let start = 0
      for (let end = bytes.indexOf(NUL, start); end >= 0; end = bytes.indexOf(NUL, start)) {
        const field = bytes.subarray(start, end)
        start = end + 1
        // ":<old mode> <new mode> <old oid> <new oid> <status>", then the path.
        if (head === null) head = field.toString('latin1')
        else {
          const [, mode = '', , blobOid = ''] = head.split(' ')
          const path = isUtf8(field) ? field.toString('utf8') : Buffer.from(field)
          yield { path, entry: mode === '000000' ? null : { path, mode, blobOid } }
          head = null
        }
      }
      rest = bytes.subarray(start)
    }
    await child.ended
  } catch (error) {
    signal.throwIfAborted()
    throw new SyncError(
      'GIT_FAILED',
      `git could not compare ${from} with ${to} in ${repository.folder}`,
      'Check the repository with: git fsck',
      error,
    )
  } finally {
    await child.stop()
  }
}
