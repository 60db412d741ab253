import type { SyncResult } from '@tidemark/sync-core'

/** `0.4 s`, `12 s`, `3 min 05 s`. */
export function duration(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`
}

/** `25/84  12 files/s, 4.9 s left`. */
export function pace(
  { done, total, elapsedMs }: { done: number; total: number; elapsedMs: number },
  units: string,
): string {
  const rate = done / Math.max(elapsedMs / 1000, 0.001)
  const left = rate > 0 ? `, ${duration(((total - done) / rate) * 1000)} left` : ''
  return `${done}/${total}  ${Math.round(rate)} ${units}/s${left}`
}

/** `just now`, `5 min ago`, `3 h ago`, `2 days ago`. */
export function ago(date: Date | null): string {
  if (date === null) return 'never'
  const minutes = Math.floor((Date.now() - date.getTime()) / 60_000)
  if (minutes < 1) return 'just now'
  if (minutes < 120) return `${minutes} min ago`
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h ago` : `${Math.floor(minutes / 60 / 24)} days ago`
}

/** `synced 5 min ago`, `behind for 3 min 05 s, synced 2 h ago`: how fresh what a source holds is. */
export function freshness({
  lastSyncedAt,
  behindMs,
}: {
  readonly lastSyncedAt: Date | null
  readonly behindMs: number | null
}): string {
  const synced = lastSyncedAt === null ? 'never synced to its end' : `synced ${ago(lastSyncedAt)}`
  return behindMs === null ? synced : `behind for ${duration(behindMs)}, ${synced}`
}

/** `docs:guide/start.md`, as `tidemark show` takes it from a shell. */
export function pageName(source: string, path: string): string {
  const name = `${source}:${path}`
  return /^[\w./:@%+,-]+$/.test(name) ? name : `'${name.replaceAll("'", `'\\''`)}'`
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
