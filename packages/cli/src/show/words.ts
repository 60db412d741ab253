import type { SyncResult } from '@tidemark/sync-core'

/** `0.4 s`, `12 s`, `3 min 05 s`. */
export function duration(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return seconds < 60
    ? `${seconds} s`
    : `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`
}

/** `just now`, `5 min ago`, `3 h ago`, `2 days ago`. */
export function ago(date: Date | null): string {
  if (date === null) return 'never'
  const minutes = Math.floor((Date.now() - date.getTime()) / 60_000)
  if (minutes < 1) return 'just now'
  if (minutes < 120) return `${minutes} min ago`
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h ago` : `${Math.floor(minutes / 60 / 24)} days ago`
}

/** `+84 ~3 →1 −2`: added, changed, renamed, deleted; and what was set aside. */
export function changes(result: SyncResult): string {
  const { filesImported, filesUpdated, filesRenamed, filesDeleted, filesQuarantined } = result
  const parts = [
    [filesImported, `+${filesImported}`],
    [filesUpdated, `~${filesUpdated}`],
    [filesRenamed, `→${filesRenamed}`],
    [filesDeleted, `−${filesDeleted}`],
    [filesQuarantined, `!${filesQuarantined}`],
  ] as const
  return (
    parts
      .filter(([count]) => count > 0)
      .map(([, text]) => text)
      .join(' ') || '–'
  )
}

/** The first characters of a commit id, as git shows it. */
export const shortCommit = (commit: string | null) => commit?.slice(0, 10) ?? '–'
