import type { Stats } from 'node:fs'
import { chmodSync, chownSync, existsSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { UsageError } from './usage-error.ts'

/**
 * Writes the whole file or nothing: beside it first, then in its place. A file that is there keeps its mode and its
 * owner, a symlink stays one.
 *
 * @throws an error with a hint
 */
export function replaceFile(file: string, text: string): void {
  let draft: string | undefined
  try {
    const target = existsSync(file) ? realpathSync(file) : file
    const present = statSync(target, { throwIfNoEntry: false })
    draft = `${target}.${process.pid}.tmp`
    writeFileSync(draft, text, { flag: 'wx', ...(present && { mode: 0o600 }) })
    if (present) copyAccess(present, draft)
    renameSync(draft, target)
  } catch (error) {
    if (draft !== undefined) rmSync(draft, { force: true })
    const message = `${file} cannot be written: ${(error as Error).message}`
    throw new FileWriteError(message, 'Choose a folder that you may write to.', error)
  }
}

/** The owner first: giving a file away may take bits off its mode. */
function copyAccess({ mode, uid, gid }: Stats, file: string): void {
  const own = statSync(file)
  if (own.uid !== uid || own.gid !== gid) chownSync(file, uid, gid)
  chmodSync(file, mode & 0o7777)
}

/** A fault of the machine rather than of the user: exit code 1. */
class FileWriteError extends UsageError {
  override readonly code = 'FILE_NOT_WRITTEN'
  override readonly exitCode = 1
}
