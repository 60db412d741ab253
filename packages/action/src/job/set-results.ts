import * as core from '@actions/core'
import type { SyncStatus } from '@tidemark/sync-core'
import { type Ended, worstStatus } from './worst-status.ts'

/** Sets the output `results`: a result, a verdict or a state for each source of which there is one. */
export function setResults(results: readonly object[]): void {
  core.setOutput('results', JSON.stringify({ version: 1, results }))
}

/** Sets the outputs `results`, `status` and `partial` of a step that syncs or embeds. */
export function setOutcome(results: readonly Ended[], status: SyncStatus = worstStatus(results)): void {
  setResults(results)
  core.setOutput('status', status)
  core.setOutput(
    'partial',
    results.some((result) => result.status === 'partial'),
  )
}
