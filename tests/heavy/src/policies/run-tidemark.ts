import type { SyncResult } from '@tidemark/sync-core'
import type { Scene, SourceWork, WaveWork } from './policy.ts'
import { runLimited } from './run-limited.ts'
import type { TidemarkHome } from './tidemark-home.ts'

/** What `timeout` of coreutils exits with where it had to end a command. */
const TIMED_OUT = [124, 137]

/** Runs the command, or a line of a script, and reads the JSON that it prints. */
export async function runTidemark(
  [command, ...args]: readonly [string, ...string[]],
  { home, scene, killAfterMs }: { home: TidemarkHome; scene: Scene; killAfterMs?: number },
): Promise<WaveWork> {
  const startMs = performance.now()
  let printed = ''
  const { cut, exitCode } = await runLimited(command, args, {
    ...home,
    killAfterMs,
    signal: scene.ground.signal,
    onLine: (each) => {
      printed += each
    },
  })
  const results: SyncResult[] = printed === '' ? [] : JSON.parse(printed).results
  return { cut: cut || TIMED_OUT.includes(exitCode ?? 0), work: workOf(results, startMs, scene) }
}

/** What results say of a wave. */
export function workOf(results: readonly SyncResult[], startMs: number, { tell }: Pick<Scene, 'tell'>): SourceWork[] {
  return results.map((result) => {
    if (result.status === 'failed') tell(`${result.source} failed: ${result.error.message}`)
    return {
      source: result.source,
      startMs,
      endMs: performance.now(),
      read: result.blobsRead,
      // A page that moves is read too: where its links lead depends on its path.
      stored: result.filesImported + result.filesUpdated + result.filesRenamed + result.filesQuarantined,
      keeps: true,
      refusedBy: result.status === 'busy' ? 'the living' : undefined,
    }
  })
}
