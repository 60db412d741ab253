import type { Told } from '../sync/told.ts'
import { statusOf, tellEnding } from './endings.ts'
import type { Output } from './output.ts'
import { showPlan } from './plan.ts'
import { table } from './table.ts'
import { changes, duration, shortCommit } from './words.ts'

/** Shows how syncs ended: a table, and below it what someone should know or do. */
export function showResults(results: readonly Told[], output: Output): void {
  for (const { source, changes } of results) if (changes && !output.quiet) showPlan(source, changes, output)
  const rows = results.map((result) => [
    result.source,
    statusOf(result, output),
    changes(result),
    result.filesRemaining === null ? '?' : String(result.filesRemaining),
    shortCommit(result.bookmark),
    duration(result.elapsedMs),
  ])
  if (!output.quiet) output.print(table(['source', 'status', 'files', 'left', 'bookmark', 'time'], rows))
  for (const result of results) tellEnding(result, output, 'sync')
}
