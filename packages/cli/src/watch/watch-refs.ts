import { type FSWatcher, watch } from 'node:fs'
import { join } from 'node:path'
import { findGitFolders } from '@tidemark/sync-core'

/** What changes beside `refs/` when a ref does. */
const REF_FILES = /^(HEAD|packed-refs|reftable)$/
/** Git writes several files for one commit. */
const DEBOUNCE_MS = 100

/**
 * Calls back when a ref of a repository on this machine may have changed. Where that cannot be watched, it is looked at
 * by the clock alone.
 */
export async function watchRefs(folder: string, onChange: () => void, signal: AbortSignal): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const changed = () => {
    clearTimeout(timer)
    timer = setTimeout(onChange, DEBOUNCE_MS)
  }
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
  const folders = await findGitFolders(folder, signal).catch(() => [])
  for (const git of new Set(folders)) {
    watchFolder(git, { signal }, (name) => REF_FILES.test(name) && changed())
    watchFolder(join(git, 'refs'), { signal, recursive: true }, changed)
    watchFolder(join(git, 'reftable'), { signal }, changed)
  }
}

type WatchOptions = { readonly signal: AbortSignal; readonly recursive?: boolean }

function watchFolder(folder: string, options: WatchOptions, onEvent: (name: string) => void): FSWatcher | null {
  try {
    return watch(folder, options, (_, name) => onEvent(name ?? '')).on('error', () => {})
  } catch {
    return null // It is not there.
  }
}
