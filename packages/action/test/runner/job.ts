import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Contexts, resolve, resolveTexts, type Status } from './expressions.ts'
import type { Annotation } from './log.ts'
import { createMasks, type Masks } from './masks.ts'
import { readSteps } from './read-steps.ts'
import { get } from './read-workflow.ts'
import type { Repositories } from './repositories.ts'
import { type Conclusion, runStep, type Step, type StepResult } from './step.ts'

/** A job on its runner: what its steps share. */
export interface Job {
  readonly contexts: Contexts
  readonly repositories: Repositories
  /** Folder of the repository whose workflow this is, as `checkout` finds it. */
  readonly repository: string
  readonly workspace: string
  readonly defaults: Readonly<Record<string, string>>
  readonly masks: Masks
  readonly timeScale: number
  readonly signal: AbortSignal
  status: 'success' | 'failure' | 'cancelled'
  /** Variables of all steps to come. */
  readonly env: Record<string, string>
  readonly path: string[]
  readonly summaries: string[]
  /** Run in reverse order when all steps have ended. */
  readonly posts: Step[]
  /** Has that told when the job is cancelled; nothing any more for null. */
  onCancel(listener: (() => void) | null): void
  newFolder(): string
  processEnv(): Record<string, string>
}

/** What a job is started with. */
export interface JobOptions extends Pick<Job, 'contexts' | 'repositories' | 'repository' | 'timeScale' | 'signal'> {
  readonly definition: any
  /** The workflow that it stands in, and the folder of the repository of that. */
  readonly workflow: any
  readonly home: string
}

export interface JobResult {
  readonly conclusion: Conclusion
  readonly outputs: Readonly<Record<string, string>>
  readonly steps: readonly StepResult[]
  readonly annotations: readonly Annotation[]
  /** What its steps wrote for people, in Markdown. */
  readonly summary: string
}

/** What GitHub allows the outputs of a job, in UTF-16. */
const MAX_OUTPUT_BYTES = 1024 * 1024

/** Runs a job from its first step to its last post step, on a runner of its own. */
export async function runJob(options: JobOptions): Promise<JobResult> {
  const { definition, contexts, signal, timeScale } = options
  const cancel = new AbortController()
  const minutes = resolve(get(definition, 'timeout-minutes'), contexts) ?? 360
  const timer = setTimeout(() => cancel.abort('timeout'), Math.min(minutes * 60_000 * timeScale, 2 ** 31 - 1))
  const home = mkdtempSync(join(tmpdir(), 'runner-'))
  const job = createJob({ ...options, signal: AbortSignal.any([signal, cancel.signal]) }, home)
  const annotations: Annotation[] = []
  try {
    const { steps, scope } = await runSteps(job, readSteps(get(definition, 'steps'), options.home))
    if (cancel.signal.aborted) {
      annotations.push({
        level: 'error',
        title: '',
        message: `The job has exceeded the maximum execution time of ${minutes}m0s`,
      })
    }
    const evaluated = resolveTexts(get(definition, 'outputs'), {
      ...contexts,
      env: job.env,
      steps: scope.steps,
      job: { status: job.status },
    })
    const { outputs, dropped } = passOn(evaluated, job.masks)
    for (const name of dropped) {
      annotations.push({ level: 'warning', title: '', message: `Skip output '${name}' since it may contain secret.` })
    }
    const all = [...annotations, ...steps.flatMap((step) => step.annotations)]
    return { conclusion: job.status, outputs, steps, annotations: all, summary: job.summaries.join('') }
  } finally {
    clearTimeout(timer)
    rmSync(home, { recursive: true, force: true })
  }
}

async function runSteps(job: Job, steps: readonly Step[]) {
  const scope = { steps: {} as Record<string, any>, contexts: {}, status: () => statusOf(job) }
  const results: StepResult[] = []
  const queue = [...steps]
  for (let step = queue.shift() ?? job.posts.pop(); step; step = queue.shift() ?? job.posts.pop()) {
    const result = await runStep(step, job, scope)
    if (job.signal.aborted) job.status = 'cancelled'
    else if (result.conclusion === 'failure') job.status = 'failure'
    results.push(result)
  }
  return { steps: results, scope }
}

const statusOf = ({ status, signal }: Job): Status => ({
  success: status === 'success' && !signal.aborted,
  failure: status === 'failure' && !signal.aborted,
  cancelled: signal.aborted,
})

/** Outputs without those that are empty, and without those that hold a secret. */
function passOn(evaluated: Readonly<Record<string, string>>, masks: Masks) {
  const kept = Object.entries(evaluated).filter(([, value]) => value !== '')
  const dropped = kept.filter(([, value]) => masks.mask(value) !== value).map(([name]) => name)
  const outputs = Object.fromEntries(kept.filter(([name]) => !dropped.includes(name)))
  if (JSON.stringify(outputs).length * 2 > MAX_OUTPUT_BYTES) throw new Error('The outputs of the job are over 1 MB')
  return { outputs, dropped }
}

function createJob({ definition, workflow, contexts, signal, ...rest }: JobOptions, home: string): Job {
  const workspace = join(home, 'work')
  const temp = join(home, 'temp')
  for (const folder of [workspace, temp]) mkdirSync(folder)
  const github: Record<string, string> = { ...(contexts.github as object), workspace }
  const runner = { os: 'Linux', arch: 'X64', temp, name: 'runner', environment: 'github-hosted' }
  const secrets = Object.values((contexts.secrets ?? {}) as Record<string, string>)
  const all: Contexts = { ...contexts, github, runner }
  const env = {
    ...resolveTexts(get(workflow, 'env'), all),
    ...resolveTexts(get(definition, 'env'), all),
  }
  let listener: (() => void) | null = null
  signal.addEventListener('abort', () => listener?.(), { once: true })
  return {
    ...rest,
    contexts: all,
    signal,
    workspace,
    defaults: {
      ...resolve(get(workflow, 'defaults', 'run'), all),
      ...resolve(get(definition, 'defaults', 'run'), all),
    },
    masks: createMasks([...secrets, github.token ?? '']),
    status: 'success',
    env,
    path: [],
    summaries: [],
    posts: [],
    onCancel(next) {
      listener = next
    },
    newFolder: () => mkdtempSync(join(temp, 'step-')),
    processEnv: () => ({ ...SYSTEM_ENV, ...environment('GITHUB_', github), ...environment('RUNNER_', runner) }),
  }
}

const SYSTEM_ENV = { CI: 'true', HOME: process.env.HOME ?? '/', LANG: 'C.UTF-8', GITHUB_ACTIONS: 'true' }

function environment(prefix: string, context: Readonly<Record<string, unknown>>): Record<string, string> {
  const texts = Object.entries(context).filter(([name, value]) => typeof value === 'string' && name !== 'token')
  return Object.fromEntries(texts.map(([name, value]) => [prefix + name.toUpperCase(), String(value)]))
}
