import { isUtf8 } from 'node:buffer'
import { SyncError } from '../sync-error.ts'
import { startGit } from './run-git.ts'

/** A file of a commit's tree. */
export interface TreeEntry {
  /** Path from the root, or its bytes where they are not UTF-8. */
  readonly path: string | Buffer
  /** Object id of the content, in hex. */
  readonly blobOid: string
  /** As git has it: 100644 and 100755 are files, 120000 a symlink, 160000 a submodule. */
  readonly mode: string
}

/** The mode of a path that is not there. */
export const ABSENT = '000000'

/**
 * The files of a commit's tree, or of one folder of it, in the byte order of their paths, that of `COLLATE "C"`; an array
 * for each buffer of git's.
 */
export async function* listTree(
  folder: string,
  commit: string,
  signal: AbortSignal,
  subpath?: string,
): AsyncGenerator<TreeEntry[]> {
  const args = ['ls-tree', '-r', '-z', '--full-tree', commit]
  if (subpath !== undefined) args.push('--', `:(literal)${subpath}/`)
  for await (const records of readRecords(folder, args, signal, `list the files of ${commit}`))
    yield parseRecords(records)
}

/** `<mode> <type> <oid>\t<path>` records between NULs. */
function parseRecords(records: Buffer): TreeEntry[] {
  return splitAtNul(records).map((record) => {
    const tab = record.indexOf('\t')
    const head = record.slice(0, tab).toString()
    return { path: record.slice(tab + 1), mode: head.slice(0, 6), blobOid: head.slice(head.lastIndexOf(' ') + 1) }
  })
}

/** What git prints in records that end with NUL: buffers of whole records, without the last NUL. */
async function* readRecords(
  folder: string,
  args: readonly string[],
  signal: AbortSignal,
  task: string,
): AsyncGenerator<Buffer> {
  const git = await startGit(folder, args, signal)
  try {
    let rest: Buffer = Buffer.alloc(0)
    for await (const buffer of git.output) {
      const end = buffer.lastIndexOf(0)
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
    const message = `git could not ${task} in ${folder}`
    throw new SyncError('GIT_FAILED', message, 'Check the repository with: git fsck', error)
  } finally {
    await git.stop()
  }
}

/** As text, decoded at once unless some of it is not UTF-8; what is not, as its bytes. */
function splitAtNul(records: Buffer): (string | Buffer)[] {
  if (isUtf8(records)) return records.toString().split('\0')
  return records
    .toString('latin1')
    .split('\0')
    .map((record) => {
      const bytes = Buffer.from(record, 'latin1')
      return isUtf8(bytes) ? bytes.toString() : bytes
    })
}
