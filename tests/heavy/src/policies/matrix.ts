import type { SyncResult } from '@tidemark/sync-core'
import { runStep, startStep } from '../../../../packages/action/test/world/runner.ts'
import type { Policy, Scene, SourceWork } from './policy.ts'
import { workOf } from './run-tidemark.ts'
import { tidemarkHome } from './tidemark-home.ts'

interface Entry {
  readonly name: string
  readonly sources: string
  readonly timeout: string
}

/** The Action: a plan, then a job for each source that is due, side by side as runners are. */
export async function matrix(scene: Scene): Promise<Policy> {
  const { limits, ground } = scene
  const home = await tidemarkHome(scene, 'matrix')
  const { cwd, env } = home

  /** A job that is killed at its limit; with what it has done. */
  async function job({ name, sources, timeout }: Entry) {
    const startMs = performance.now()
    const { child, ended } = startStep({ uses: 'sync', with: { sources, timeout }, cwd, env })
    let cut = false
    const kill = () => child.kill('SIGKILL')
    const timer = setTimeout(() => {
      cut = true
      kill()
    }, limits.hardMs)
    ground.signal.addEventListener('abort', kill)
    const { outputs, log, exitCode } = await ended
    clearTimeout(timer)
    ground.signal.removeEventListener('abort', kill)
    if (exitCode !== 0 && !cut && !ground.signal.aborted) scene.tell(`the job ${name} ended with ${exitCode}: ${log}`)
    const results: SyncResult[] = JSON.parse(outputs.results ?? '{"results":[]}').results
    return { cut, work: workOf(results, startMs, scene) }
  }

  return {
    name: 'matrix',
    bookmarks: home.bookmarks,
    close: home.close,
    async wave() {
      const startMs = performance.now()
      const timeout = `${limits.budgetSeconds}s`
      const planned = await runStep({ uses: 'plan', with: { timeout }, cwd, env })
      const include: Entry[] = JSON.parse(planned.outputs.matrix ?? '{"include":[]}').include
      const jobs = await Promise.all(include.map(job))
      const done = jobs.flatMap(({ work }) => work)
      const due = new Set(include.flatMap(({ sources }) => sources.split(' ')))
      // A source that is not due has been looked at, and is what its ref is.
      const looked = scene.sources
        .filter(({ id }) => !due.has(id))
        .map(
          ({ id }): SourceWork => ({
            source: id,
            startMs,
            endMs: performance.now(),
            read: 0,
            stored: 0,
            keeps: true,
          }),
        )
      return { cut: jobs.some(({ cut }) => cut), work: [...done, ...looked] }
    },
  }
}
