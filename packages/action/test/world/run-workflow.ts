import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import pMap from 'p-map'
import { parse } from 'yaml'
import type { ActionWorld } from './action-world.ts'
import { type Contexts, evaluated, readWorkflow, resolved } from './expressions.ts'
import type { Ended } from './runner.ts'

export const ROOT = fileURLToPath(new URL('../../../..', import.meta.url))
const SYNC = '.github/workflows/sync.yml'
const EXAMPLE = 'examples/github-action/.github/workflows/mirror.yml'

type Callee = Awaited<ReturnType<typeof readWorkflow>>

export interface Job {
  readonly name: string
  readonly group: string | null
  readonly timeoutMinutes: number
  readonly steps: readonly Ended[]
  readonly outputs: Readonly<Record<string, string>>
}

/** What a schedule gives the inputs of its dispatch. */
const NO_INPUTS = {
  source: null,
  'allow-mass-delete': null,
  'retry-quarantined': null,
  full: null,
  'force-break': null,
}

/**
 * Runs the example's workflow and through it the reusable one, each step that is ours as a process.
 *
 * @param embeddingKey makes the caller ask for embeddings, with that secret.
 */
export async function runWorkflow(
  world: ActionWorld,
  {
    inputs = {},
    embeddingKey,
    onPlanned = () => {},
  }: { inputs?: object; embeddingKey?: string; onPlanned?: () => void } = {},
) {
  const caller = await readWorkflow(EXAMPLE, readFileSync(`${ROOT}/${EXAMPLE}`, 'utf8'))
  const text = readFileSync(`${ROOT}/${SYNC}`, 'utf8')
  const callee = await readWorkflow(SYNC, text)
  const github = { workflow: 'Mirror' }
  const [call] = mapping(caller.root, 'jobs').values()
  const secrets = { DATABASE_URL: world.database, DOCS_READ_TOKEN: 'token-for-docs' }
  const contexts = {
    github,
    inputs: {
      ...readDefaults(text),
      ...resolved(part(call, 'with'), { github, inputs: { ...NO_INPUTS, ...inputs } }),
      ...(embeddingKey && { embed: true }),
    },
    // One that is not given is empty.
    secrets: { 'embedding-key': embeddingKey ?? '', ...resolved(part(call, 'secrets'), { secrets }) },
  }

  const planned = await runJob(world, callee, 'plan', contexts)
  onPlanned()
  const needs = { plan: { result: 'success', outputs: planned.outputs } }
  const jobs = jobIds(callee.root)
  const conditions = new Map(callee.template.jobs.map((job) => [String(job.id), job.if.expression]))
  const goes = (id: string, more: Contexts) => evaluated(conditions.get(id)!, { ...contexts, ...more }) === true
  const synced = goes('sync', { needs }) ? await runMatrix(world, callee, { ...contexts, needs }) : []
  const afterwards = { needs: { ...needs, sync: { result: synced.length > 0 ? 'success' : 'skipped' } } }
  const summary = goes('summary', afterwards)
    ? await runJob(world, callee, 'summary', { ...contexts, ...afterwards })
    : null
  const output = mapping(part(part(callee.root, 'on'), 'workflow_call'), 'outputs').get('behind')
  const outputs = { behind: summary?.outputs.behind ?? '' }
  const told = { jobs: { plan: { outputs: planned.outputs }, summary: { outputs } } }
  return { jobs, planned, synced, summary, behind: resolved(part(output, 'value'), told) }
}

async function runMatrix(world: ActionWorld, callee: Callee, contexts: Contexts): Promise<Job[]> {
  const strategy = resolved(part(job(callee.root, 'sync'), 'strategy'), contexts)
  if (strategy['fail-fast'] !== false) throw new Error('one source that fails would cancel the others')
  const entries: Record<string, unknown>[] = strategy.matrix.include
  return pMap(entries, (matrix) => runJob(world, callee, 'sync', { ...contexts, matrix }), {
    concurrency: strategy['max-parallel'],
  })
}

async function runJob(world: ActionWorld, callee: Callee, id: string, contexts: Contexts): Promise<Job> {
  const definition = job(callee.root, id)
  const conditions = stepConditions(callee, id)
  const resolve = (name: string, more: Contexts = {}) => resolved(part(definition, name), { ...contexts, ...more })
  const env = resolve('env')
  const steps: Record<string, { outputs: Record<string, string> }> = {}
  const ended: Ended[] = []
  let failed = false
  for (const [i, step] of [...items(part(definition, 'steps'))].entries()) {
    const uses = resolved(part(step, 'uses'), {}) as string
    const ours = /^tidemark\/tidemark\/([a-z-]+)@v1$/.exec(uses)
    if (!ours || !evaluated(conditions[i]!, { ...contexts, steps }, failed)) continue
    const given = resolved(part(step, 'with'), { ...contexts, steps })
    const inputs = Object.entries(given).map(([name, value]) => [name, value === null ? '' : String(value)])
    const outcome = await world.run({
      uses: ours[1]!,
      with: Object.fromEntries(inputs),
      env: { ...env, ...resolved(part(step, 'env'), contexts), DATABASE_URL: undefined },
    })
    ended.push(outcome)
    const stepId = part(step, 'id')
    if (stepId) steps[String(stepId)] = { outputs: { ...outcome.outputs } }
    failed ||= outcome.exitCode !== 0
  }
  const concurrency = resolve('concurrency')
  if (concurrency?.['cancel-in-progress']) throw new Error('a run in progress would be cancelled')
  return {
    name: resolve('name') ?? id,
    group: concurrency?.group ?? null,
    timeoutMinutes: resolve('timeout-minutes'),
    steps: ended,
    outputs: resolve('outputs', { steps }) ?? {},
  }
}

/** When each step of a job runs, with what GitHub puts in where it says nothing. */
function stepConditions({ template }: Callee, id: string): string[] {
  const { steps } = template.jobs.find((each) => String(each.id) === id) as unknown as {
    steps: { if: { expression: string } }[]
  }
  return steps.map((step) => step.if.expression)
}

function readDefaults(text: string): Record<string, unknown> {
  const inputs = Object.entries<any>(parse(text).on.workflow_call.inputs)
  return Object.fromEntries(inputs.map(([name, input]) => [name, input.default]))
}

const jobIds = (root: any): string[] => [...mapping(root, 'jobs').keys()]
const job = (root: any, id: string) => mapping(root, 'jobs').get(id)

function part(token: any, name: string): any {
  for (let i = 0; i < token.count; i++) if (String(token.get(i).key) === name) return token.get(i).value
  return undefined
}

function mapping(token: any, name: string): Map<string, any> {
  const found = part(token, name)
  return new Map(Array.from({ length: found.count }, (_, i) => [String(found.get(i).key), found.get(i).value]))
}

function* items(token: any): Generator<any> {
  for (let i = 0; i < token.count; i++) yield token.get(i)
}
