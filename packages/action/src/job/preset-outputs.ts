import * as core from '@actions/core'

const NO_RESULTS = { version: 1, results: [] }

/** What each command has for outputs while nothing is known. */
const OUTPUTS = {
  plan: { matrix: { include: [] }, any: false },
  sync: { results: NO_RESULTS, status: 'failed', partial: false, behind: [] },
  embed: { results: NO_RESULTS, status: 'failed', partial: false },
  'break-stale': { results: NO_RESULTS },
  status: { results: NO_RESULTS, status: 'behind', behind: [] },
}

export type CommandName = keyof typeof OUTPUTS

/**
 * Sets all outputs of a command before it begins. Those that it sets later count; these are left where it ends without
 * any, be it that it is refused, fails, or is killed: what reads them finds JSON in any case.
 */
export function presetOutputs(command: CommandName): void {
  for (const [name, value] of Object.entries(OUTPUTS[command])) core.setOutput(name, value)
}
