import { chmod, type FileHandle, mkdir, open, readdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { tryLock } from 'fs-native-extensions'
import { SyncError } from '../../sync-error.ts'

/** What a database's process may take to end after its parent, on a machine that is busy with others. */
const EXIT_TIMEOUT_MS = 5_000

/**
 * Keeps a second process out: PGlite has no lock, and two openers corrupt the data. The lock is the kernel's,
 * on a file beside the folder, and ends with the last process that has that file: hand it to the database's.
 */
export async function lockFolder(folder: string): Promise<FileHandle> {
  const opening = openLock(folder)
  const file = await opening.catch((error: Error) => {
    const hint = 'Choose a folder that you may write to with --database, or a Postgres with DATABASE_URL.'
    const message = `The embedded database cannot be kept in ${folder}: ${error.message}`
    throw new SyncError('DATABASE_FOLDER', message, hint, error)
  })
  const deadline = performance.now() + EXIT_TIMEOUT_MS
  while (!tryLock(file.fd)) {
    const holder = (await readFile(`${folder}.lock`, 'utf8')).trim()
    if (holderExited(holder) && performance.now() < deadline) {
      await sleep(10)
      continue
    }
    await file.close()
    const who = holder === '' ? 'another process' : `process ${holder}`
    const hint = 'Wait for it to end. For several processes at once, use a Postgres: set DATABASE_URL.'
    throw new SyncError('DATABASE_IN_USE', `The embedded database in ${folder} is in use by ${who}`, hint)
  }
  await file.truncate(0)
  await file.write(`${process.pid}\n`, 0)
  return file
}

/** Opens the file that is locked, beside a folder that nobody else gets into: who writes there can let anyone in. */
async function openLock(folder: string): Promise<FileHandle> {
  await makeFolder(folder)
  const files = await readdir(folder)
  // One that was killed while it was made may have some of it only, and is made anew.
  if (files.length > 0 && !files.some((name) => /^(PG_VERSION|base|global|pg_.+)$/.test(name)))
    throw new Error('there are other files in that folder, and no database')
  await chmod(folder, 0o700)
  const file = await open(`${folder}.lock`, 'a+', 0o600)
  await file.chmod(0o600)
  return file
}

/** Whether the process that has written its number is gone, so that its database's own process is about to end too. */
function holderExited(holder: string): boolean {
  try {
    return holder !== '' && !process.kill(Number(holder), 0)
  } catch (error) {
    return (error as { code?: string }).code === 'ESRCH'
  }
}

/** As `mkdir -p -m 700`: all of it is for this user alone. Node's own never ends below a folder such as /proc, where nothing can be made. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, 0o700)
  } catch (error) {
    const { code } = error as { code?: string }
    if (code === 'EEXIST') return
    if (code !== 'ENOENT' || dirname(folder) === folder) throw error
    await makeFolder(dirname(folder))
    await mkdir(folder, 0o700)
  }
}
