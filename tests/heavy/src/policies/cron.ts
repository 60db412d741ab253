import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Policy, Scene, WaveWork } from './policy.ts'
import { runLimited } from './run-limited.ts'
import { runTidemark } from './run-tidemark.ts'
import { tidemarkHome } from './tidemark-home.ts'

const WAVE = fileURLToPath(new URL('../../../../examples/cron/wave', import.meta.url))

/**
 * A lease is not scaled: its holder shows a sign of life every 15 seconds, and is dead when it has missed as many as
 * this. Scaled, the half hour of the script would be less than one.
 */
const MAX_AGE_SECONDS = 60

/** The script that we recommend, its lines read from where they are printed, with the durations of this clock. */
export async function cron(scene: Scene): Promise<Policy> {
  const { ground, limits, sources } = scene
  const home = await tidemarkHome(scene, 'cron')
  const script = await readFile(WAVE, 'utf8')
  const [breakLock] = script.match(/^tidemark sync --break-lock .*$/m) ?? []
  const [sync] = script.match(/^timeout .*$/m) ?? []
  if (!breakLock || !sync) throw new Error(`${WAVE} is not what it was: no line breaks locks or syncs a source`)
  const first = breakLock.replace(/--max-age \d+/, `--max-age ${MAX_AGE_SECONDS}`)
  const lineOf = (id: string) =>
    sync
      .replace(/^timeout \d+/, `timeout ${limits.hardMs / 1_000}`)
      .replace(/--source \S+/, `--source ${id}`)
      .replace(/--timeout \d+/, `--timeout ${limits.budgetSeconds}`)
  return {
    name: 'cron',
    bookmarks: home.bookmarks,
    close: home.close,
    async wave() {
      await runLimited('/bin/sh', ['-c', first], { ...home, signal: ground.signal, onLine() {} })
      const waves: WaveWork[] = []
      for (const { id } of sources) {
        if (ground.signal.aborted) break
        waves.push(await runTidemark(['/bin/sh', '-c', `${lineOf(id)} --json`], { home, scene }))
      }
      return { cut: waves.some(({ cut }) => cut), work: waves.flatMap(({ work }) => work) }
    },
  }
}
