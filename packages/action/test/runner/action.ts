import { existsSync } from 'node:fs'
import { dirname, join, resolve as resolvePath } from 'node:path'
import { runEntry } from './entry.ts'
import { type Contexts, resolve, resolveTexts, toText } from './expressions.ts'
import { readSteps } from './read-steps.ts'
import { entries, get, readAction } from './read-workflow.ts'
import { SIMULATED } from './simulated.ts'
import { type Outcome, type RunningStep, runStep, type Scope, type Step } from './step.ts'

/** Runs the action that a step uses: one of the tests' repositories, or what one of GitHub's leaves behind. */
export async function runAction(uses: string, token: any, home: string, running: RunningStep): Promise<Outcome> {
  const { job, contexts } = running
  const given = resolveTexts(get(token, 'with'), contexts)
  const simulated = SIMULATED[uses.replace(/@.*/, '')]
  if (simulated) return { ok: true, outputs: simulated(job, given) }
  const { folder, repository } = job.repositories.locate(uses, home, job.workspace)
  const file = ['action.yml', 'action.yaml'].map((name) => join(folder, name)).find(existsSync)
  if (!file) throw new Error(`Can't find 'action.yml' under '${folder}'. Did you forget to run actions/checkout?`)
  const action = readAction(file)
  const inputs = readInputs(action, given, running)
  if (String(get(action, 'runs', 'using')) === 'composite') return runComposite(action, inputs, repository, running)
  return runNode(action, file, { token, inputs, running })
}

/** The inputs of an action: what is given, else their defaults. */
function readInputs(action: any, given: Readonly<Record<string, string>>, { contexts, log }: RunningStep) {
  const known = entries(get(action, 'inputs'))
  for (const name of Object.keys(given)) {
    if (known.every(([each]) => each.toLowerCase() !== name.toLowerCase())) {
      log.annotate(
        'warning',
        `Unexpected input(s) '${name}', valid inputs are [${known.map(([each]) => `'${each}'`).join(', ')}]`,
      )
    }
  }
  const otherwise = known.map(([name, input]) => [name, toText(resolve(get(input, 'default'), contexts))])
  return { ...Object.fromEntries(otherwise), ...given } as Record<string, string>
}

/** Runs an action of Node; its post step, which sees what it has saved, is registered before it begins. */
async function runNode(
  action: any,
  file: string,
  { token, inputs, running }: { token: any; inputs: Record<string, string>; running: RunningStep },
): Promise<Outcome> {
  const { job } = running
  const runs = get(action, 'runs')
  if (!/^node\d+$/.test(String(get(runs, 'using'))) || get(runs, 'pre')) throw new Error(`${file} can't be simulated`)
  const state: Record<string, string> = {}
  const run = async (entry: string, given: Record<string, string>, running: RunningStep) => {
    const env = { ...running.env, ...prefixed('INPUT_', given), ...prefixed('STATE_', state) }
    const args = [resolvePath(dirname(file), String(get(runs, entry)))]
    const ended = await runEntry(process.execPath, args, { ...running, env, cwd: job.workspace })
    Object.assign(state, ended.state)
    return ended
  }
  if (get(runs, 'post')) {
    // Its inputs and variables are looked at anew: they may hold what a step in between has set.
    const again = (contexts: Contexts) => ({ ...inputs, ...resolveTexts(get(token, 'with'), contexts) })
    job.posts.push({
      name: `Post ${String(get(token, 'name') ?? get(token, 'uses'))}`,
      condition: String(get(runs, 'post-if') ?? 'always()'),
      env: (contexts) => resolveTexts(get(token, 'env'), contexts),
      continueOnError: () => false,
      timeoutMinutes: () => undefined,
      run: async (post) => ({ ok: (await run('post', again(post.contexts), post)).ok, outputs: {} }),
    })
  }
  const { ok, outputs } = await run('main', inputs, running)
  return { ok, outputs }
}

const prefixed = (prefix: string, values: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      `${prefix}${prefix === 'INPUT_' ? name.replaceAll(' ', '_').toUpperCase() : name}`,
      value,
    ]),
  )

/** Runs the steps of a composite action one after another, with steps and inputs of their own. */
async function runComposite(action: any, inputs: object, home: string, running: RunningStep): Promise<Outcome> {
  const { job, contexts, env, log, signal } = running
  let failed = false
  const scope: Scope = {
    steps: {},
    contexts: { inputs },
    status: () => ({ success: !failed && !signal.aborted, failure: failed, cancelled: signal.aborted }),
  }
  for (const step of readSteps(get(action, 'runs', 'steps'), home)) {
    const own: Step = { ...step, env: (contexts) => ({ ...env, ...step.env(contexts) }) }
    const nested = { ...job, status: job.status, signal, onCancel: onAbort(signal) }
    const result = await runStep(own, nested, scope)
    log.lines.push(result.log)
    log.annotations.push(...result.annotations)
    failed ||= result.conclusion === 'failure'
  }
  const after = { ...contexts, inputs, steps: scope.steps }
  const outputs = entries(get(action, 'outputs')).map(([name, output]) => [
    name,
    toText(resolve(get(output, 'value'), after)),
  ])
  return { ok: !failed, outputs: Object.fromEntries(outputs) }
}

/** Has one listener at a time on a signal. */
function onAbort(signal: AbortSignal): Job['onCancel'] {
  let listener: (() => void) | null = null
  signal.addEventListener('abort', () => listener?.(), { once: true })
  return (next) => {
    listener = next
  }
}

type Job = RunningStep['job']
