import { availableParallelism } from 'node:os'
import type { Policy, Scene } from './policy.ts'
import { runTidemark } from './run-tidemark.ts'
import { tidemarkHome } from './tidemark-home.ts'

/** All sources side by side in one process. */
export const all = (scene: Scene): Promise<Policy> => oneCommand(scene, 'all', ['--all'])

/** Each source in a process of its own, as many at a time as the machine has cores. */
export const independent = (scene: Scene): Promise<Policy> =>
  oneCommand(scene, 'independent', ['--all', '--independent', `--concurrency=${availableParallelism()}`])

async function oneCommand(scene: Scene, name: string, flags: string[]): Promise<Policy> {
  const { budgetSeconds, waveMs } = scene.limits
  const home = await tidemarkHome(scene, name)
  const command = [home.command, 'sync', ...flags, `--timeout=${budgetSeconds}`, '--json'] as const
  return {
    name,
    bookmarks: home.bookmarks,
    close: home.close,
    wave: () => runTidemark(command, { home, scene, killAfterMs: waveMs }),
  }
}
