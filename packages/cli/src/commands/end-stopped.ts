import type { SyncStatus } from '@tidemark/sync-core'
import type { Stop } from '../runtime/stop-on-signals.ts'

/** The exit code of runs that may have been stopped; where they were, the process ends when all is printed. */
export async function endStopped(stop: Stop, results: readonly { readonly status: SyncStatus }[]): Promise<number> {
  const stopped = stop.exitCode()
  // A connection that is still being made would keep the process for seconds.
  if (stopped !== undefined) process.stdout.write('', () => process.exit(stopped))
  return stopped ?? (await import('@tidemark/sync-core')).exitCodeFromResults(results)
}
