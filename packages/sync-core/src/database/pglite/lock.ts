import { chmod, type FileHandle, mkdir, open, readdir, readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { tryLock } from 'fs-native-extensions'
import { SyncError } from '../../sync-error.ts'
import { explainDiskFull } from './disk-full.ts'
import { DatabaseInUseError, type FolderHolder } from './in-use.ts'

/** What a database's process may take to end after its parent, on a machine that is busy with others. */
const EXIT_TIMEOUT_MS = 5_000
const POLL_MS = 20

export interface LockOptions {
  readonly signal?: AbortSignal | undefined
  /** How long to wait for another process to end; not at all by default. */
  readonly waitMs?: number | undefined
  /** What this process does, for those that find the folder locked. */
  readonly label?: string | undefined
}

/**
 * Keeps a second process out: PGlite has no lock, and two openers corrupt the data. The lock is the kernel's,
 * on a file beside the folder, and ends with the last process that has that file: hand it to the database's.
 *
 * @throws {DatabaseInUseError} also where a timeout ends the wait; else the signal's reason.
 */
export async function lockFolder(folder: string, { signal, waitMs = 0, label }: LockOptions): Promise<FileHandle> {
  const file = await openLock(folder).catch(async (error: Error) => {
    const hint = 'Choose a folder that you may write to with --database, or a Postgres with DATABASE_URL.'
    const message = `The embedded database cannot be kept in ${folder}: ${error.message}`
    const known = await explainDiskFull(folder, error)
    throw known instanceof SyncError ? known : new SyncError('DATABASE_FOLDER', message, hint, error)
  })
  try {
    await waitForLock(file, folder, { signal, waitMs })
    await file.truncate(0)
    await file.write(`${JSON.stringify({ pid: process.pid, host: hostname(), since: new Date(), label })}\n`, 0)
    return file
  } catch (error) {
    await file.close()
    throw await explainDiskFull(folder, error)
  }
}

async function waitForLock(
  file: FileHandle,
  folder: string,
  { signal, waitMs }: { readonly signal: AbortSignal | undefined; readonly waitMs: number },
): Promise<void> {
  const started = performance.now()
  while (!tryLock(file.fd)) {
    const holder = await readHolder(folder)
    const waitedMs = performance.now() - started
    if (waitedMs >= Math.max(waitMs, holderExited(holder) ? EXIT_TIMEOUT_MS : 0))
      throw new DatabaseInUseError(folder, holder)
    await sleep(POLL_MS, undefined, { signal }).catch(() => {})
    // A budget that is spent on waiting tells who it was spent on.
    if (signal?.reason?.name === 'TimeoutError') throw new DatabaseInUseError(folder, holder)
    signal?.throwIfAborted()
  }
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

const UNKNOWN: FolderHolder = { pid: null, host: null, label: null, heldForMs: null }

async function readHolder(folder: string): Promise<FolderHolder> {
  try {
    const { pid, host, since, label = null } = JSON.parse(await readFile(`${folder}.lock`, 'utf8'))
    return { pid, host, label, heldForMs: Math.max(0, Date.now() - Date.parse(since)) }
  } catch {
    // It is being written.
    return UNKNOWN
  }
}

/** Whether the process that has written its number is gone, so that its database's own process is about to end too. */
function holderExited({ pid, host }: FolderHolder): boolean {
  try {
    return pid !== null && host === hostname() && !process.kill(pid, 0)
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
