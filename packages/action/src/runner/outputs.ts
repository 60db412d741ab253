import * as core from '@actions/core'
import { type SyncStatus, worstStatus } from '@tidemark/sync-core'

/** Of what nobody has looked at: an empty list would say that all is well. */
const UNKNOWN = 'unknown'

const NO_RESULTS = { version: 1, results: [] }

/** What each command has for outputs while nothing is known. */
const OUTPUTS = {
  plan: { matrix: { include: [] }, any: false, behind: UNKNOWN },
  sync: { results: NO_RESULTS, status: 'failed', partial: false, behind: UNKNOWN },
  embed: { results: NO_RESULTS, status: 'failed', partial: false },
  'break-stale': { results: NO_RESULTS },
  status: { results: NO_RESULTS, status: 'behind', behind: UNKNOWN },
}

export type CommandName = keyof typeof OUTPUTS

/**
 * Sets all outputs of a command before it begins. Those that it sets later count; these are left where it ends without
 * any, be it that it is refused, fails, or is killed.
 */
export function presetOutputs(command: CommandName): void {
  for (const [name, value] of Object.entries(OUTPUTS[command])) core.setOutput(name, value)
}

/** Sets the output `results`: a result, a verdict or a state for each source of which there is one. */
export function setResults(results: readonly object[]): void {
  core.setOutput('results', JSON.stringify({ version: 1, results }))
}

/** Sets the outputs `results`, `status` and `partial` of a step that syncs or embeds. */
export function setRunOutputs(results: readonly { readonly status: SyncStatus }[]): void {
  setResults(results)
  core.setOutput('status', worstStatus(results))
  core.setOutput(
    'partial',
    results.some(({ status }) => status === 'partial'),
  )
}
