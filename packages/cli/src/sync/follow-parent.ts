import { Worker } from 'node:worker_threads'
import type { Progress } from '@tidemark/sync-core'
import type { Stop } from './stop-on-signals.ts'
import type { SyncLive } from './telling.ts'

/** What a process of `--independent` sends to the one that has started it. */
export interface FromChild {
  readonly progress: Progress
}

/**
 * Stops the runs of this process when the one that has started it is gone, and tells it how they get on until then.
 *
 * A thread of its own watches, because it must end this process even where it no longer does anything else.
 */
export function followParent(stop: Stop): SyncLive {
  const watch = new Worker(new URL('./parent-watch.js', import.meta.url))
  watch.on('message', () => stop.stop('SIGTERM'))
  watch.unref()
  return {
    progress(progress) {
      // A parent that is gone is told of by the thread.
      if (process.connected) process.send!({ progress } satisfies FromChild, () => {})
    },
    finished() {},
    [Symbol.dispose]() {},
  }
}
