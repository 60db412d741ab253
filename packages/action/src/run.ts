import * as core from '@actions/core'
import { choiceInput } from './runner/inputs.ts'
import { oneLineError } from './runner/log.ts'
import { type CommandName, presetOutputs } from './runner/outputs.ts'

// A step is one command in its own process, which the runner may signal. Its outputs are set before anything can go
// wrong and again with each result; then come annotations, the summary, and whether the step fails. On a signal the runs
// stop as partial and the process ends with 130 or 143. Leases are recorded as they are taken: the post step breaks
// exactly those that a killed step has left. What a status or an error means is defined in sync-core's run/.

/** Each is loaded when it is run: the parser that a sync needs takes as long to load as all the rest. */
const COMMANDS: Record<CommandName, () => Promise<void>> = {
  plan: async () => (await import('./commands/plan.ts')).plan(),
  sync: async () => (await import('./commands/sync.ts')).sync(),
  embed: async () => (await import('./commands/embed.ts')).embed(),
  'break-stale': async () => (await import('./commands/break-stale.ts')).breakStale(),
  status: async () => (await import('./commands/status.ts')).status(),
}

/** Runs what the input `command` names. */
export async function run(): Promise<void> {
  await failStepOnError(async () => {
    const name = choiceInput('command', Object.keys(COMMANDS) as CommandName[])
    presetOutputs(name)
    await COMMANDS[name]()
  })
}

/** Runs a command; what goes wrong fails the step with one line that says what to do. */
export async function runCommand(name: CommandName): Promise<void> {
  presetOutputs(name)
  await failStepOnError(COMMANDS[name])
}

async function failStepOnError(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    core.setFailed(oneLineError(error))
  }
}
