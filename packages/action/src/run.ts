import * as core from '@actions/core'
import { explained } from './explained.ts'
import { choiceInput } from './inputs.ts'
import { type CommandName, presetOutputs } from './job/preset-outputs.ts'

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
  await failing(async () => {
    const name = choiceInput('command', Object.keys(COMMANDS) as CommandName[])
    presetOutputs(name)
    await COMMANDS[name]()
  })
}

/** Runs a command; what goes wrong fails the step with one line that says what to do. */
export async function runCommand(name: CommandName): Promise<void> {
  presetOutputs(name)
  await failing(COMMANDS[name])
}

async function failing(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    core.setFailed(explained(error))
  }
}
