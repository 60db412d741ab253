import type { SyncResult } from '@tidemark/sync-core'
import { runStep, startStep } from '../../../../../packages/action/test/world/runner.ts'
import type { Policy, PolicyContext, SourceWork } from './policy.ts'
import { createHome, workFromResults } from './tidemark.ts'

interface Job {
  readonly name: string
  readonly sources: string
  readonly timeout: string
}

/** The Action: a plan, then a job for each source that is due, side by side as runners are. */
export async function matrix(context: PolicyContext): Promise<Policy> {
  const { limits, sources, harness } = context
  const { signal, log } = harness
  const { cwd, env, bookmarks, close } = await createHome(context, 'matrix')

  /** A job that is killed at its limit; with what it has done. */
  async function runJob({ name, sources, timeout }: Job) {
    const startMs = performance.now()
    const { child, ended } = startStep({ uses: 'sync', with: { sources, timeout }, cwd, env })
    const limit = AbortSignal.timeout(Math.round(limits.hardMs))
    const kill = () => child.kill('SIGKILL')
    const over = AbortSignal.any([signal, limit])
    over.addEventListener('abort', kill)
    const { outputs, log: output, exitCode } = await ended
    over.removeEventListener('abort', kill)
    const killed = limit.aborted
    if (exitCode !== 0 && !over.aborted) log(`the job ${name} ended with ${exitCode}: ${output}`)
    const results: SyncResult[] = JSON.parse(outputs.results ?? '{"results":[]}').results
    return { killed, work: workFromResults(results, startMs, context) }
  }

  return {
    name: 'matrix',
    bookmarks,
    close,
    async wave() {
      const startMs = performance.now()
      const plan = await runStep({ uses: 'plan', with: { timeout: `${limits.budgetSeconds}s` }, cwd, env })
      const include: Job[] = JSON.parse(plan.outputs.matrix ?? '{"include":[]}').include
      const jobs = await Promise.all(include.map(runJob))
      const due = new Set(include.flatMap(({ sources }) => sources.split(' ')))
      // A source that is not due has been checked, and holds what its ref has.
      const nothing = { startMs, endMs: performance.now(), read: 0, stored: 0, keeps: true }
      const others = sources.filter(({ id }) => !due.has(id)).map(({ id }): SourceWork => ({ source: id, ...nothing }))
      return { killed: jobs.some(({ killed }) => killed), work: [...jobs.flatMap(({ work }) => work), ...others] }
    },
  }
}
