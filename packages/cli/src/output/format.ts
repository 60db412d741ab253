import type { SyncResult } from '@tidemark/sync-core'
import prettyMs from 'pretty-ms'

/** `412ms`, `5.2s`, `12s`, `3m 5s`. */
export const formatDuration = (ms: number) => prettyMs(ms, { unitCount: 2, secondsDecimalDigits: ms < 10_000 ? 1 : 0 })

/** `3s`, `5m`, `2h`, `3d`: where the next unit would matter to nobody. */
export const formatShort = (ms: number) => (ms < 1000 ? '0s' : prettyMs(ms, { compact: true }))

/** `25/84  12 files/s, 4.9s left`. */
export function formatRate(
  { done, total, elapsedMs }: { done: number; total: number; elapsedMs: number },
  units: string,
): string {
  const perSecond = done / Math.max(elapsedMs / 1000, 0.001)
  const left = perSecond > 0 ? `, ${formatDuration((Math.max(0, total - done) / perSecond) * 1000)} left` : ''
  return `${done}/${total}  ${Math.round(perSecond)} ${units}/s${left}`
}

/** `2026-11-26 03:00:00`, of this machine's time zone. */
export const formatTime = (date: Date) => date.toLocaleString('sv-SE')

/** `just now`, `5m ago`, `3h ago`, `2d ago`. */
export function formatAgo(date: Date | null): string {
  if (date === null) return 'never'
  const ms = Date.now() - date.getTime()
  return ms < 60_000 ? 'just now' : `${prettyMs(ms, { compact: true })} ago`
}

/** `synced 5m ago`, `behind for 3m 5s, synced 2h ago`: how fresh what a source holds is. */
export function formatFreshness({
  lastSyncedAt,
  behindMs,
}: {
  readonly lastSyncedAt: Date | null
  readonly behindMs: number | null
}): string {
  const synced = lastSyncedAt === null ? 'never synced to its end' : `synced ${formatAgo(lastSyncedAt)}`
  return behindMs === null ? synced : `behind for ${formatDuration(behindMs)}, ${synced}`
}

/** `docs:guide/start.md`, as `tidemark show` takes it from a shell. */
export function formatPageName(source: string, path: string): string {
  const name = `${source}:${path}`
  return /^[\w./:@%+,-]+$/.test(name) ? name : `'${name.replaceAll("'", `'\\''`)}'`
}

/** `+84 ~3 →1 −2`: added, changed, renamed, deleted; and what was set aside. */
export function formatChanges(result: SyncResult): string {
  const counts = {
    '+': result.filesImported,
    '~': result.filesUpdated,
    '→': result.filesRenamed,
    '−': result.filesDeleted,
    '!': result.filesQuarantined,
  }
  const changed = Object.entries(counts).filter(([, count]) => count > 0)
  return changed.map(([sign, count]) => `${sign}${count}`).join(' ') || '–'
}

/** The first characters of a commit id, as git shows it. */
export const formatCommit = (commit: string | null) => commit?.slice(0, 10) ?? '–'
