import { type Contexts, evaluate, type Status, toText } from './expressions.ts'
import type { Job } from './job.ts'
import { createLog, type StepLog } from './log.ts'

export type Conclusion = 'success' | 'failure' | 'cancelled' | 'skipped'

/** The steps that see each other's outputs: those of a job, or of a composite action. */
export interface Scope {
  readonly steps: Record<string, { outputs: Record<string, string>; outcome: Conclusion; conclusion: Conclusion }>
  /** Contexts besides those of the job. */
  readonly contexts: Contexts
  readonly status: () => Status
}

/** A step, a post step, or one of a composite action, ready to be run. */
export interface Step {
  readonly name: string
  readonly id?: string | undefined
  readonly condition: string
  readonly env: (contexts: Contexts) => Record<string, string>
  readonly continueOnError: (contexts: Contexts) => boolean
  readonly timeoutMinutes: (contexts: Contexts) => number | undefined
  /** Does it. @returns whether it succeeded, and its outputs */
  run(running: RunningStep): Promise<Outcome>
}

export interface Outcome {
  readonly ok: boolean
  readonly outputs: Record<string, string>
}

/** What a step finds when it is run. */
export interface RunningStep {
  readonly job: Job
  readonly contexts: Contexts
  readonly env: Readonly<Record<string, string>>
  readonly log: StepLog
  /** Cancelled, or over its time. */
  readonly signal: AbortSignal
}

export interface StepResult {
  readonly name: string
  readonly id: string | undefined
  readonly outcome: Conclusion
  readonly conclusion: Conclusion
  readonly outputs: Readonly<Record<string, string>>
  readonly log: string
  readonly annotations: StepLog['annotations']
}

/** Runs a step where its condition holds. A job that is cancelled ends it, unless its condition holds even so. */
export async function runStep(step: Step, job: Job, scope: Scope): Promise<StepResult> {
  const log = createLog(job.masks)
  const before: Contexts = { ...job.contexts, ...scope.contexts, steps: scope.steps, job: { status: job.status } }
  const env = { ...job.env }
  const contexts = { ...before, env }
  const holds = () => Boolean(evaluate(step.condition, contexts, scope.status()))
  const stop = new AbortController()
  const onCancel = () => {
    if (!holds()) stop.abort('cancelled')
  }
  let outcome: Conclusion = 'skipped'
  let outputs: Record<string, string> = {}
  let timer: NodeJS.Timeout | undefined
  try {
    Object.assign(env, step.env(contexts))
    // Only the step that is running is cancelled: those after it run where they say so.
    if (!job.signal.aborted) job.onCancel(onCancel)
    if (holds()) {
      const minutes = step.timeoutMinutes(contexts)
      if (minutes) timer = setTimeout(() => stop.abort('timeout'), minutes * 60_000 * job.timeScale)
      const ended = await step.run({ job, contexts, env, log, signal: stop.signal })
      outcome = ended.ok ? 'success' : 'failure'
      outputs = ended.outputs
    }
  } catch (error) {
    outcome = 'failure'
    log.annotate('error', toText((error as Error).message))
  } finally {
    clearTimeout(timer)
    job.onCancel(null)
  }
  if (stop.signal.reason === 'timeout') {
    outcome = 'failure'
    log.annotate('error', `The action '${step.name}' has timed out.`)
  } else if (stop.signal.aborted) {
    outcome = 'cancelled'
    log.annotate('error', 'The operation was canceled.')
  }
  const conclusion = outcome === 'failure' && step.continueOnError(contexts) ? 'success' : outcome
  if (step.id) scope.steps[step.id] = { outputs, outcome, conclusion }
  const { lines, annotations } = log
  return { name: step.name, id: step.id, outcome, conclusion, outputs, log: lines.join('\n'), annotations }
}
