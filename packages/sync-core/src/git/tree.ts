import { isUtf8 } from 'node:buffer'
import { SyncError } from '../sync-error.ts'
import { startGit } from './git.ts'
import type { Repository } from './refs.ts'

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
 * Yields one array for each buffer that arrives, so that a tree of any size passes through without being held.
 */
export async function* listTree(
  repository: Repository,
  commit: string,
  signal: AbortSignal,
): AsyncGenerator<TreeEntry[]> {
  const args = ['ls-tree', '-r', '-z', '--full-tree', commit]
  for await (const records of readRecords(repository, args, signal, `list the files of ${commit}`))
    yield parseRecords(records)
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
  return splitAtNul(records).map((record) => {
    const tab = record.indexOf(TAB)
    return { path: decodePath(record.subarray(tab + 1)), ...parseHead(record.toString('latin1', 0, tab)) }
  })
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
  let head: string | null = null
  for await (const fields of readRecords(repository, args, signal, `compare ${from} with ${to}`)) {
    for (const field of splitAtNul(fields)) {
      // ":<old mode> <new mode> <old oid> <new oid> <status>", then the path.
      if (head === null) {
        head = field.toString('latin1')
        continue
      }
      const [, mode = '', , blobOid = ''] = head.split(' ')
      const path = decodePath(field)
      yield { path, entry: mode === '000000' ? null : { path, mode, blobOid } }
      head = null
    }
  }
}

/** What git prints in records that end with NUL: buffers of whole records, without the last NUL. */
async function* readRecords(
  repository: Repository,
  args: readonly string[],
  signal: AbortSignal,
  task: string,
): AsyncGenerator<Buffer> {
  const git = await startGit(repository.folder, args, signal)
  try {
    let rest: Buffer = Buffer.alloc(0)
    for await (const buffer of git.output) {
      const end = buffer.lastIndexOf(NUL)
      if (end < 0) {
        rest = Buffer.concat([rest, buffer])
        continue
      }
      yield Buffer.concat([rest, buffer.subarray(0, end)])
      rest = buffer.subarray(end + 1)
    }
    await git.ended
  } catch (error) {
    signal.throwIfAborted()
    const message = `git could not ${task} in ${repository.folder}`
    throw new SyncError('GIT_FAILED', message, 'Check the repository with: git fsck', error)
  } finally {
    await git.stop()
  }
}

function splitAtNul(records: Buffer): Buffer[] {
  const parts: Buffer[] = []
  for (let start = 0; start <= records.length; ) {
    const stop = records.indexOf(NUL, start)
    const end = stop < 0 ? records.length : stop
    parts.push(records.subarray(start, end))
    start = end + 1
  }
  return parts
}

/** A copy of the bytes where they are not UTF-8: what they were read with goes on being used. */
const decodePath = (bytes: Buffer) => (isUtf8(bytes) ? bytes.toString('utf8') : Buffer.from(bytes))
