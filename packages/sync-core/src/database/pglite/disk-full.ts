import { statfs } from 'node:fs/promises'
import { SyncError } from '../../sync-error.ts'

/** Two files of its log, which it makes whole. With less, what it calls a failure without a reason is this. */
const MIN_FREE_BYTES = 2 * 16 * 1024 ** 2

/** The error of an embedded database in terms of its disk where that is full, else as it is. */
export async function explainDiskFull(folder: string, error: unknown): Promise<unknown> {
  if (error instanceof SyncError) return error
  const { code, message } = error as { code?: string; message: string }
  const { bavail, bsize } = await statfs(folder).catch(() => ({ bavail: Number.POSITIVE_INFINITY, bsize: 1 }))
  const freeBytes = bavail * bsize
  const full =
    code === '53100' || code === 'ENOSPC' || code === 'EDQUOT' || /no space left|quota exceeded/i.test(message)
  if (!full && (code !== undefined || freeBytes >= MIN_FREE_BYTES)) return error
  return new SyncError(
    'DATABASE_FULL',
    `The disk of the embedded database in ${folder} is full, with ${Math.floor(freeBytes / 1e6)} MB left: ${message}`,
    'Make room there and run it again: what is stored is kept, and it goes on from there.',
    error,
  )
}
