import type { Progress, SyncResult } from '@tidemark/sync-core'
import type { Output } from './output.ts'
import { changes, duration } from './words.ts'

/** Shows how several runs get on, on standard error. */
export interface Live extends Disposable {
  progress(progress: Progress): void
  finished(result: SyncResult): void
}

/** One live line a source on a terminal, plain lines elsewhere, nothing with `--json` or `--quiet`. */
export async function openLive(output: Output): Promise<Live> {
  if (output.json || output.quiet) return { progress() {}, finished() {}, [Symbol.dispose]() {} }
  // Traces would be written across live lines.
  const terminal = !output.verbose && process.stderr.isTTY && process.env.TERM !== 'dumb' && !process.env.CI
  return terminal ? (await import('./live-lines.ts')).liveLines() : plainLines(output)
}

/** What a run does in each of its phases. */
export const DOING = {
  lock: 'waiting for its lease',
  fetch: 'fetching',
  plan: 'comparing',
  apply: 'importing',
}

/** How a run ended, in a few words. */
export const endOf = (result: SyncResult) =>
  `${result.source}  ${result.status} ${changes(result)} in ${duration(result.elapsedMs)}`

function plainLines(output: Output): Live {
  const phases = new Map<string, string>()
  return {
    progress({ source, phase, total }) {
      const now = phase === 'apply' ? `${DOING.apply} ${total} files` : DOING[phase]
      if (phase === 'lock' || phases.get(source) === now || (phase === 'apply' && total === 0)) return
      phases.set(source, now)
      output.note(`${source}: ${now}`)
    },
    finished: (result) => output.note(endOf(result)),
    [Symbol.dispose]() {},
  }
}
