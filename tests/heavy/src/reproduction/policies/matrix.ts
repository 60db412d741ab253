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
  const { cwd, env, observer, embed, finish } = await createHome(context, 'matrix')

  async function runJob({ name, sources, timeout }: Job): Promise<SourceWork[]> {
    const startMs = performance.now()
    const { child, ended } = startStep({ uses: 'sync', with: { sources, timeout }, cwd, env })
    const kill = () => child.kill('SIGKILL')
    harness.signal.addEventListener('abort', kill)
    const { outputs, log, exitCode } = await ended
    harness.signal.removeEventListener('abort', kill)
    if (exitCode !== 0 && !harness.signal.aborted) harness.log(`the job ${name} ended with ${exitCode}: ${log}`)
    const results: SyncResult[] = JSON.parse(outputs.results ?? '{"results":[]}').results
    return workFromResults(results, sources.split(' '), startMs, harness)
  }

  return {
    name: 'matrix',
    observer,
    finish,
    embed,
    async wave() {
      const startMs = performance.now()
      const plan = await runStep({ uses: 'plan', with: { timeout: `${limits.halfHourSeconds}s` }, cwd, env })
      const include: Job[] = JSON.parse(plan.outputs.matrix ?? '{"include":[]}').include
      const work = (await Promise.all(include.map(runJob))).flat()
      // A source that is not due has been checked, and holds what its ref has.
      const nothing = { startMs, endMs: performance.now(), read: 0, stopped: false, locked: false }
      const others = sources.filter(({ id }) => !work.some(({ source }) => source === id))
      return { killed: false, work: [...work, ...others.map(({ id }) => ({ source: id, ...nothing }))] }
    },
  }
}
