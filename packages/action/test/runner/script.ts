import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runEntry } from './entry.ts'
import { resolve, toText } from './expressions.ts'
import { get } from './read-workflow.ts'
import type { Outcome, RunningStep } from './step.ts'

const SHELLS: Readonly<Record<string, readonly string[]>> = {
  '': ['bash', '-e'],
  bash: ['bash', '--noprofile', '--norc', '-eo', 'pipefail'],
  sh: ['sh', '-e'],
}

/** Runs the script of a step in its shell. */
export async function runScript(token: any, running: RunningStep): Promise<Outcome> {
  const { job, contexts } = running
  const shell = toText(resolve(get(token, 'shell'), contexts) ?? job.defaults.shell)
  const [command, ...args] = SHELLS[shell] ?? []
  if (command === undefined) throw new Error(`The shell ${shell} is not simulated`)
  const file = join(job.newFolder(), 'script.sh')
  writeFileSync(file, toText(resolve(get(token, 'run'), contexts)))
  const folder = toText(resolve(get(token, 'working-directory'), contexts) ?? job.defaults['working-directory'])
  const cwd = join(job.workspace, folder)
  const { ok, outputs } = await runEntry(command, [...args, file], { ...running, cwd })
  return { ok, outputs }
}
