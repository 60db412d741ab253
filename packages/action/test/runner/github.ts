import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type ConcurrencyGroups, createConcurrencyGroups } from './concurrency.ts'
import { type Contexts, resolve, resolveTexts } from './expressions.ts'
import { inGroup } from './in-group.ts'
import { entries, get, readWorkflow } from './read-workflow.ts'
import { createRepositories, type Repositories } from './repositories.ts'
import { conclude, type JobReport, runJobs } from './run-jobs.ts'
import type { Conclusion } from './step.ts'

// Runs whole workflows as GitHub does, on this machine: its own parser and expressions say what a workflow means, and the
// rest follows the runner that GitHub publishes. A run is a graph of jobs (run-jobs.ts); a job is a matrix, a call of
// another workflow or steps on a runner of its own (job.ts); a step is a script or an action (script.ts, action.ts), a
// process with command files, whose log is masked. Cancelled, a process gets SIGINT, SIGTERM 7.5 s later and is killed
// 2.5 s after that. What GitHub's own actions do is replaced by what they leave behind (simulated.ts).
// Not here: services and containers, environments, what a token may do, shells other than bash and sh, actions in Docker.

export interface GitHubOptions {
  /** The folder of each repository, `owner/name → folder`. */
  readonly repositories: Readonly<Record<string, string>>
  /** By which minutes of a timeout and the times between signals are multiplied. */
  readonly timeScale?: number
}

export interface RunOptions {
  readonly repository: string
  /** Path of the workflow in it. */
  readonly workflow: string
  readonly event?: string
  /** What a person gives to `workflow_dispatch`. */
  readonly inputs?: Readonly<Record<string, unknown>>
  readonly secrets?: Readonly<Record<string, string>>
}

type JobState = 'pending' | 'running' | 'ended'

export interface Run {
  readonly ended: Promise<RunResult>
  cancel(): void
  /** Resolves when a job is in that state, or has been: `pending` is to wait for its concurrency group. */
  reached(job: string, state: JobState): Promise<void>
}

export interface RunResult {
  readonly conclusion: Conclusion
  readonly jobs: readonly JobReport[]
  /** A job by its name. */
  job(name: string): JobReport
}

/** What all parts of a run share. */
export interface RunContext {
  readonly repositories: Repositories
  readonly repository: string
  readonly groups: ConcurrencyGroups
  readonly timeScale: number
  readonly signal: AbortSignal
  readonly jobs: JobReport[]
  report(job: string, state: JobState): void
}

export interface GitHub {
  start(options: RunOptions): Run
  run(options: RunOptions): Promise<RunResult>
}

/** One GitHub, whose runs share the concurrency groups of their repository. */
export function createGitHub({ repositories: folders, timeScale = 1 }: GitHubOptions): GitHub {
  const repositories = createRepositories(folders)
  const groups = new Map(Object.keys(folders).map((name) => [name, createConcurrencyGroups()]))
  let runNumber = 0
  const start = (options: RunOptions): Run => {
    runNumber++
    const cancel = new AbortController()
    const states = createStates()
    const run: RunContext = {
      repositories,
      repository: repositories.folder(options.repository),
      groups: groups.get(options.repository)!,
      timeScale,
      signal: cancel.signal,
      jobs: [],
      report: (job, state) => states.of(job, state).resolve(),
    }
    const ended = runWorkflow(run, options, runNumber, () => cancel.abort('cancelled'))
    ended.catch(() => {})
    const reached = (job: string, state: JobState) => {
      const missed = ended.then(() => {
        throw new Error(`the run has ended, and ${job} was never ${state}`)
      })
      return Promise.race([states.of(job, state).promise, missed])
    }
    return { ended, cancel: () => cancel.abort('cancelled'), reached }
  }
  return { start, run: (options) => start(options).ended }
}

function createStates() {
  const states = new Map<string, PromiseWithResolvers<void>>()
  const of = (job: string, state: JobState) => {
    const key = `${state} ${job}`
    const found = states.get(key) ?? Promise.withResolvers<void>()
    states.set(key, found)
    return found
  }
  return { of }
}

async function runWorkflow(
  run: RunContext,
  options: RunOptions,
  runNumber: number,
  cancel: () => void,
): Promise<RunResult> {
  const { repository, event = 'workflow_dispatch', secrets = {} } = options
  const path = join(run.repository, options.workflow)
  const root = await readWorkflow(path)
  const inputs = readInputs(get(root, 'on', event, 'inputs'), options.inputs ?? {})
  const token = `ghs_${randomBytes(18).toString('hex')}`
  const github = {
    workflow: String(get(root, 'name') ?? options.workflow),
    repository,
    repository_owner: repository.split('/')[0],
    event_name: event,
    event: { inputs },
    ref: 'refs/heads/main',
    ref_name: 'main',
    sha: '0'.repeat(40),
    run_id: String(1_000 + runNumber),
    run_number: String(runNumber),
    run_attempt: '1',
    server_url: 'https://github.com',
    api_url: 'https://api.github.com',
    actor: 'octocat',
    token,
  }
  const contexts: Contexts = { github, inputs, vars: {}, secrets: { ...secrets, GITHUB_TOKEN: token } }
  const work = async () => {
    const { results } = await runJobs(run, { root, home: run.repository, contexts, prefix: '' })
    return conclude(Object.values(results).map(({ result }) => result))
  }
  const concurrency = resolve(get(root, 'concurrency'), contexts)
  const conclusion = concurrency ? await inGroup(run, concurrency, { cancel, signal: run.signal, work }) : await work()
  return {
    conclusion: run.signal.aborted ? 'cancelled' : (conclusion ?? 'cancelled'),
    jobs: run.jobs,
    job(name) {
      const found = run.jobs.find((each) => each.name === name)
      if (!found) throw new Error(`there was no job ${name}, but ${run.jobs.map((each) => each.name).join(', ')}`)
      return found
    },
  }
}

/** Inputs with their defaults. @throws for one that is not known, or missing */
export function readInputs(definitions: any, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const known = entries(definitions)
  const unknown = Object.keys(given).filter((name) => known.every(([each]) => each !== name))
  if (unknown.length > 0) throw new Error(`Unexpected inputs provided: ${unknown.join(', ')}`)
  return Object.fromEntries(
    known.map(([name, definition]) => {
      const { type = 'string', required, default: otherwise } = definition?.count ? resolve(definition, {}) : {}
      const value = given[name] ?? otherwise
      if (value === undefined && required) throw new Error(`Required input '${name}' not provided`)
      return [name, value ?? { boolean: false, number: 0 }[type as string] ?? '']
    }),
  )
}

/** The secrets that a called workflow sees: those that it is given, as texts. */
export function readSecrets(call: any, definitions: any, contexts: Contexts): Record<string, string> {
  const given = get(call, 'secrets')
  if (given !== undefined && given.count === undefined) return contexts.secrets as Record<string, string>
  const secrets = resolveTexts(given, contexts)
  for (const [name, definition] of entries(definitions)) {
    if (get(definition, 'required')?.toJSON() === true && !(name in secrets))
      throw new Error(`Secret ${name} is required`)
  }
  return secrets
}
