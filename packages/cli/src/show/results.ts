import type { SyncResult } from '@tidemark/sync-core'
import type { Told } from '../sync/told.ts'
import type { Output } from './output.ts'
import { showPlan } from './plan.ts'
import { table } from './table.ts'
import { changes, duration, shortCommit } from './words.ts'

/** Shows how syncs ended: a table, and below it what someone should know or do. */
export function showResults(results: readonly Told[], output: Output): void {
  for (const { source, changes } of results) if (changes && !output.quiet) showPlan(source, changes, output)
  const rows = results.map((result) => [
    result.source,
    output.paint(styleOf(result), 'reason' in result ? `${result.status} (${result.reason})` : result.status),
    changes(result),
    result.filesRemaining === null ? '?' : String(result.filesRemaining),
    shortCommit(result.bookmark),
    duration(result.elapsedMs),
  ])
  if (!output.quiet) output.print(table(['source', 'status', 'files', 'left', 'bookmark', 'time'], rows))
  for (const result of results) {
    for (const { message } of result.warnings)
      process.stderr.write(`tidemark: ${result.source}: ${message}\n`)
    if (result.status === 'blocked') output.note('  If that is meant, run again with --allow-mass-delete.')
    if (result.status === 'blocked_by_failures')
      output.note('  Mend the files, exclude them, or see tidemark.quarantine.')
    if (result.status === 'failed')
      process.stderr.write(`tidemark: ${result.source}: ${result.error.message}\n  ${result.error.hint}\n`)
    if (result.status === 'busy') {
      const { host, pid } = result.holder
      output.note(
        `tidemark: ${result.source}: being synced by process ${pid} on ${host}\n  Wait for it with --wait 10m.`,
      )
    }
  }
}

function styleOf({ status }: SyncResult): 'red' | 'yellow' | 'green' {
  if (status === 'failed' || status === 'blocked' || status === 'blocked_by_failures') return 'red'
  return status === 'busy' || status === 'partial' ? 'yellow' : 'green'
}
