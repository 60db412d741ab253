import { Worker } from 'node:worker_threads'
import type { Progress } from '@tidemark/sync-core'
import type { SyncDisplay } from '../output/progress.ts'
import type { Stop } from '../runtime/stop-on-signals.ts'

/** What a process of `--independent` sends to the one that has started it. */
export interface ChildMessage {
  readonly progress: Progress
}

/**
 * Stops the runs of this process when the one that has started it is gone, and sends it their progress until then.
 *
 * A thread of its own watches, because it must end this process even where it no longer does anything else.
 */
export function reportToParent(stop: Stop): SyncDisplay {
  const watch = new Worker(new URL('./exit-with-parent.js', import.meta.url))
  watch.on('message', () => stop.stop('SIGTERM'))
  watch.unref()
  return {
    progress(progress) {
      // The thread sees that a parent is gone.
      if (process.connected) process.send!({ progress } satisfies ChildMessage, () => {})
    },
    finished() {},
    [Symbol.dispose]() {},
  }
}
