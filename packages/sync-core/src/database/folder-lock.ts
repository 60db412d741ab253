import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { tryLock, unlock } from 'fs-native-extensions'
import { SyncError } from '../sync-error.ts'

/**
 * Keeps a second process out of an embedded database's folder: PGlite has no lock of its own, and two openers
 * corrupt the data. The lock is the kernel's, on a file beside the folder, so it ends with the process however
 * that ends.
 *
 * @returns the function that gives the folder free again.
 * @throws {SyncError} `DATABASE_IN_USE` naming the process that has it, `DATABASE_FOLDER` where one may not write.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const file = await openLockFile(folder)
  if (!tryLock(file.fd)) {
    const holder = (await file.readFile('utf8')).trim()
    await file.close()
    throw new SyncError(
      'DATABASE_IN_USE',
      `The embedded database in ${folder} is in use by ${holder === '' ? 'another process' : `process ${holder}`}`,
      'Wait for it to end. For several processes at once, use a Postgres: set DATABASE_URL.',
    )
  }
  await file.truncate(0)
  await file.write(`${process.pid}\n`, 0)
  return async () => {
    await file.truncate(0)
    unlock(file.fd)
    await file.close()
  }
}

async function openLockFile(folder: string) {
  try {
    await makeFolder(dirname(folder))
    return await open(`${folder}.lock`, 'a+')
  } catch (error) {
    throw new SyncError(
      'DATABASE_FOLDER',
      `The embedded database cannot be kept in ${folder}: ${(error as Error).message}`,
      'Choose a folder that you may write to with --database, or a Postgres with DATABASE_URL.',
      error,
    )
  }
}

/** As `mkdir -p`. Node's own never ends below a folder such as /proc, where nothing can be made. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder)
  } catch (error) {
    const { code } = error as { code?: string }
    if (code === 'EEXIST') return
    if (code !== 'ENOENT' || dirname(folder) === folder) throw error
    await makeFolder(dirname(folder))
    await mkdir(folder)
  }
}
