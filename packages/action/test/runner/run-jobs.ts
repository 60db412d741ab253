import pMap from 'p-map'
import { type Contexts, evaluate, resolve, type Status, toText } from './expressions.ts'
import { type RunContext, readInputs, readSecrets } from './github.ts'
import { inGroup } from './in-group.ts'
import { type JobResult, runJob } from './job.ts'
import { expandMatrix, matrixJobName } from './matrix.ts'
import { checkPermissions } from './permissions.ts'
import { condition, entries, get, items, readWorkflow } from './read-workflow.ts'
import type { Conclusion } from './step.ts'

/** A job as the page of its run shows it; one of a called workflow is called `caller / job`. */
export interface JobReport extends JobResult {
  readonly name: string
  readonly group: string | null
}

interface Workflow {
  readonly root: any
  /** Folder of the repository that it stands in. */
  readonly home: string
  readonly contexts: Contexts
  /** What the names of its jobs begin with. */
  readonly prefix: string
}

interface Need {
  readonly result: Conclusion
  readonly outputs: Readonly<Record<string, string>>
}

const NOTHING: Omit<JobResult, 'conclusion'> = { outputs: {}, steps: [], annotations: [], summary: '' }

/** Runs the jobs of a workflow, each as soon as those that it needs have ended. */
export async function runJobs(run: RunContext, workflow: Workflow) {
  const jobs = new Map<string, Promise<Need>>()
  const results: Record<string, Need> = {}
  const definitions = entries(get(workflow.root, 'jobs'))
  const needsOf = (id: string) => items(get(workflow.root, 'jobs', id, 'needs')).map(String)
  /** A job that it needs, or that one of those needs. */
  const ancestors = (id: string): string[] => needsOf(id).flatMap((need) => [need, ...ancestors(need)])
  const start = async (id: string, definition: any): Promise<Need> => {
    await Promise.all(needsOf(id).map((need) => jobs.get(need)))
    const needs = Object.fromEntries(needsOf(id).map((need) => [need, results[need]]))
    const before = ancestors(id).map((need) => results[need]!.result)
    const status = (): Status => ({
      success: !run.signal.aborted && before.every((result) => result === 'success'),
      failure: before.includes('failure'),
      cancelled: run.signal.aborted,
    })
    const own: Job = { id, definition, workflow, contexts: { ...workflow.contexts, needs }, status }
    results[id] = await runMatrix(run, own)
    return results[id]
  }
  // In the order in which they are needed: a job finds those before it.
  const waiting = [...definitions]
  while (waiting.length > 0) {
    const next = waiting.findIndex(([id]) => needsOf(id).every((need) => jobs.has(need)))
    const [[id, definition]] = waiting.splice(next, 1) as [[string, any]]
    jobs.set(id, start(id, definition))
  }
  await Promise.all(jobs.values())
  return { results }
}

interface Job {
  readonly id: string
  readonly definition: any
  readonly workflow: Workflow
  readonly contexts: Contexts
  readonly status: () => Status
}

/** Runs a job, or all of its matrix. What can't be evaluated fails it. */
async function runMatrix(run: RunContext, job: Job): Promise<Need> {
  const { id, definition, contexts, status, workflow } = job
  const name = workflow.prefix + id
  const fail = (error: unknown) => {
    const annotation = { level: 'error', title: '', message: toText((error as Error).message) } as const
    report(run, { ...NOTHING, name, group: null, conclusion: 'failure', annotations: [annotation] })
    return { result: 'failure', outputs: {} } as const
  }
  const holds = () => Boolean(evaluate(condition(get(definition, 'if')), contexts, status()))
  let strategy: any
  let combinations: Record<string, unknown>[]
  try {
    if (!holds()) {
      report(run, { ...NOTHING, name, group: null, conclusion: 'skipped' })
      return { result: 'skipped', outputs: {} }
    }
    strategy = resolve(get(definition, 'strategy'), contexts)
    combinations = strategy?.matrix ? expandMatrix(strategy.matrix) : [{}]
  } catch (error) {
    return fail(error)
  }
  const failFast = new AbortController()
  const ended = await pMap(
    combinations,
    async (matrix, index) => {
      const shape = {
        'fail-fast': strategy?.['fail-fast'] ?? true,
        'job-index': index,
        'job-total': combinations.length,
      }
      const own = { ...contexts, strategy: shape, ...(strategy?.matrix && { matrix }) }
      const fallback = strategy?.matrix ? matrixJobName(id, matrix) : id
      const ended = await runOne(run, { ...job, contexts: own }, { fallback, holds, failFast: failFast.signal })
      if (ended.result === 'failure' && shape['fail-fast']) failFast.abort('fail-fast')
      return ended
    },
    { concurrency: strategy?.['max-parallel'] ?? 256 },
  )
  return {
    result: conclude(ended.map(({ result }) => result)),
    outputs: Object.assign({}, ...ended.map(({ outputs }) => outputs)),
  }
}

/** Runs one job of a matrix when its concurrency group lets it in. */
async function runOne(
  run: RunContext,
  { id, definition, contexts, workflow }: Job,
  { fallback, holds, failFast }: { fallback: string; holds: () => boolean; failFast: AbortSignal },
): Promise<Need> {
  const name = workflow.prefix + toText(resolve(get(definition, 'name'), contexts) ?? fallback)
  const concurrency = resolve(get(definition, 'concurrency'), contexts)
  const group = typeof concurrency === 'object' ? concurrency.group : (concurrency ?? null)
  const cancel = new AbortController()
  // A job whose condition holds even so is not cancelled with its run.
  const onCancel = () => {
    if (!holds()) cancel.abort('cancelled')
  }
  if (run.signal.aborted) onCancel()
  run.signal.addEventListener('abort', onCancel, { once: true })
  const signal = AbortSignal.any([cancel.signal, failFast])
  const work = async (): Promise<Need & { report?: JobResult }> => {
    if (signal.aborted) return { result: 'cancelled', outputs: {}, report: { ...NOTHING, conclusion: 'cancelled' } }
    run.report(name, 'running')
    if (get(definition, 'uses')) return callWorkflow(run, definition, { ...workflow, contexts, prefix: `${name} / ` })
    const { root, home } = workflow
    const { repositories, repository, timeScale } = run
    const github = { ...(contexts.github as object), job: id }
    const ended = await runJob({
      definition,
      workflow: root,
      home,
      contexts: { ...contexts, github },
      repositories,
      repository,
      timeScale,
      signal,
    })
    const tolerated = ended.conclusion === 'failure' && resolve(get(definition, 'continue-on-error'), contexts) === true
    return { result: tolerated ? 'success' : ended.conclusion, outputs: ended.outputs, report: ended }
  }
  if (group !== null) run.report(name, 'pending')
  const ended = await (group === null
    ? work()
    : inGroup(run, concurrency, { cancel: () => cancel.abort('replaced'), signal, work })
  ).catch((error: Error) => ({
    result: 'failure' as const,
    outputs: {},
    report: {
      ...NOTHING,
      conclusion: 'failure' as const,
      annotations: [{ level: 'error' as const, title: '', message: error.message }],
    },
  }))
  run.signal.removeEventListener('abort', onCancel)
  if (ended === null) {
    const message = signal.aborted
      ? 'The run was canceled.'
      : `Canceling since a higher priority waiting request for ${group} exists`
    const annotations = [{ level: 'error', title: '', message }] as const
    report(run, { ...NOTHING, name, group, conclusion: 'cancelled', annotations })
    return { result: 'cancelled', outputs: {} }
  }
  // One that calls a workflow is shown by the jobs of that.
  if (ended.report) report(run, { ...ended.report, name, group })
  return { result: ended.result, outputs: ended.outputs }
}

/** Runs a reusable workflow in the place of a job, with the inputs and secrets that it is given and no others. */
async function callWorkflow(
  run: RunContext,
  call: any,
  { root: caller, contexts, prefix, home }: Workflow,
): Promise<Need> {
  const { folder, repository } = run.repositories.locate(String(get(call, 'uses')), home, home)
  const root = await readWorkflow(folder)
  checkPermissions(caller, call, root)
  const definition = get(root, 'on', 'workflow_call')
  const called: Contexts = {
    github: contexts.github,
    vars: contexts.vars,
    inputs: readInputs(get(definition, 'inputs'), resolve(get(call, 'with'), contexts) ?? {}),
    secrets: readSecrets(call, get(definition, 'secrets'), contexts),
  }
  const { results } = await runJobs(run, { root, home: repository, contexts: called, prefix })
  const outputs = entries(get(definition, 'outputs')).map(([name, output]) => [
    name,
    toText(resolve(get(output, 'value'), { ...called, jobs: results })),
  ])
  return { result: conclude(Object.values(results).map(({ result }) => result)), outputs: Object.fromEntries(outputs) }
}

function report(run: RunContext, job: JobReport): void {
  run.jobs.push(job)
  run.report(job.name, 'ended')
}

/** What jobs come to together. */
export function conclude(results: readonly Conclusion[]): Conclusion {
  if (results.includes('failure')) return 'failure'
  if (results.includes('cancelled')) return 'cancelled'
  return results.includes('success') ? 'success' : 'skipped'
}
