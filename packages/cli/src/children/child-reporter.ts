import { exitWithParent } from '@tidemark/sync-core'
import type { ProgressDisplay } from '../output/progress.ts'
import type { Stop } from '../runtime/stop-on-signals.ts'

/** The file descriptor of the pipe to the parent. */
const PARENT_PIPE = 3
/** What the runs may take to stop as partial. */
const KILL_AFTER_MS = 5_000

/** Stops the runs of this process when the one that has started it is gone, and sends it their progress until then. */
export function reportToParent(stop: Stop): ProgressDisplay {
  exitWithParent(PARENT_PIPE, KILL_AFTER_MS, () => stop.stop('SIGTERM'))
  return {
    started() {},
    progress(progress) {
      // The thread sees that a parent is gone.
      if (process.connected) process.send!(progress, () => {})
    },
    finished() {},
    [Symbol.dispose]() {},
  }
}
