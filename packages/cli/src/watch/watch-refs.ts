import { basename, join } from 'node:path'
import { findGitFolders } from '@tidemark/sync-core'
import { watch } from 'chokidar'

/** What changes beside `refs/` when a ref does. */
const REF_FILES = /^(HEAD|packed-refs)$/
/** Git writes several files for one commit. */
const DEBOUNCE_MS = 100

/**
 * Calls back when a ref of a repository on this machine may have changed. Where that cannot be watched, it is looked at
 * by the clock alone.
 */
export async function watchRefs(folder: string, onChange: () => void, signal: AbortSignal): Promise<void> {
  const folders = new Set(await findGitFolders(folder, signal).catch(() => []))
  if (signal.aborted) return
  let timer: NodeJS.Timeout | undefined
  const changed = () => {
    clearTimeout(timer)
    timer = setTimeout(onChange, DEBOUNCE_MS)
  }
  const refs = [...folders].flatMap((git) => [join(git, 'refs'), join(git, 'reftable')])
  const watchers = [
    // Of all else that is there nothing below is looked at.
    watch([...folders], { ignoreInitial: true, depth: 0 }).on(
      'all',
      (_, path) => REF_FILES.test(basename(path)) && changed(),
    ),
    watch(refs, { ignoreInitial: true }).on('all', changed),
  ]
  for (const watcher of watchers) watcher.on('error', () => {})
  const close = () => {
    clearTimeout(timer)
    for (const watcher of watchers) void watcher.close()
  }
  signal.addEventListener('abort', close, { once: true })
}
