import type { SyncStatus } from '@tidemark/sync-core'
import type { Stop } from './stop-on-signals.ts'

/** With several sources the first that applies: a fault, then a decision to be made, then a live holder. */
export function exitCodeOf(results: readonly { readonly status: SyncStatus }[]): number {
  const statuses = new Set(results.map(({ status }) => status))
  if (statuses.has('failed')) return 1
  if (statuses.has('blocked') || statuses.has('blocked_by_failures')) return 3
  return statuses.has('busy') ? 4 : 0
}

/** The exit code of runs that may have been stopped; where they were, the process ends when all is printed. */
export function endingCode(stop: Stop, results: readonly { readonly status: SyncStatus }[]): number {
  const stopped = stop.exitCode()
  // A connection that is still being made would keep the process for seconds.
  if (stopped !== undefined) process.stdout.write('', () => process.exit(stopped))
  return stopped ?? exitCodeOf(results)
}
