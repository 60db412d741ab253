import type { Phase, RunResult } from '@tidemark/sync-core'
import type { LogFlags } from '../output/log.ts'
import type { AnyProgress } from '../output/log-event.ts'
import type { Output } from '../output/output.ts'
import { openProgress, type ProgressDisplay } from '../output/progress.ts'
import { showNotes } from '../output/results.ts'

/** What each look does. */
const EACH_LOOK = new Set<AnyProgress['phase']>(['lock', 'fetch', 'plan'] satisfies Phase[])

/** Shows runs as `sync` does, and of looks that find nothing new, or another at work, nothing, but with `--verbose`. */
export async function openWatchDisplay(output: Output, flags: LogFlags): Promise<ProgressDisplay> {
  // A line that is drawn anew is for a command that ends.
  const display = await openProgress({ ...output, verbose: true }, flags)
  const begun = new Set<string>()
  const isQuiet = (result: RunResult) =>
    (result.status === 'busy' || (result.status === 'up_to_date' && result.warnings.length === 0)) &&
    !begun.has(result.source)
  return {
    started() {},
    progress(progress) {
      const { source, phase } = progress
      if (EACH_LOOK.has(phase) && !output.verbose) return
      if (!begun.has(source)) display.started(source)
      begun.add(source)
      display.progress(progress)
    },
    finished(result) {
      if (output.verbose || !isQuiet(result)) {
        display.finished(result)
        showNotes(result, output)
      }
      begun.delete(result.source)
    },
    [Symbol.dispose]: () => display[Symbol.dispose](),
  }
}
