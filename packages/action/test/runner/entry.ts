import { createCommandFiles, readCommandFiles } from './file-commands.ts'
import { runProcess } from './process.ts'
import type { RunningStep } from './step.ts'

/** What GitHub allows the summary of a step, in bytes. */
const MAX_SUMMARY = 1024 * 1024

type EntryOptions = RunningStep & { readonly cwd: string }

/**
 * Runs a process of a step with its command files, and does what it has written to them, however it ended.
 *
 * @returns whether it ended well, its outputs, and the state for its post step.
 */
export async function runEntry(command: string, args: readonly string[], options: EntryOptions) {
  const { job, env, log, signal, cwd } = options
  const files = createCommandFiles(job.newFolder())
  const variables = { ...job.processEnv(), ...env, ...files, PATH: [...job.path, process.env.PATH].join(':') }
  const { timeScale } = job
  const code = await runProcess(command, args, { cwd, env: variables, signal, timeScale, onLine: log.print })
  const { outputs, env: added, state, path, summary } = readCommandFiles(files)
  for (const [name, value] of Object.entries(added)) {
    if (name.toUpperCase() === 'NODE_OPTIONS') log.annotate('error', `Can't store ${name} using '$GITHUB_ENV'`)
    else job.env[name] = value
  }
  for (const folder of path) job.path.unshift(folder)
  if (Buffer.byteLength(summary) > MAX_SUMMARY) log.annotate('error', 'The summary is over 1024k and was not kept')
  else job.summaries.push(job.masks.mask(summary))
  if (code !== 0 && !signal.aborted) log.annotate('error', `Process completed with exit code ${code}.`)
  return { ok: code === 0, outputs, state }
}
