import { otherWarnings, resultNotes, severityFromStatus } from '@tidemark/sync-core'
import { logEvent, logProblem } from './log.ts'
import type { AnyProgress } from './log-event.ts'
import type { ProgressDisplay } from './progress.ts'

const PROGRESS_EVERY_MS = 10_000

/** An event for each step of each source, and at intervals one that says where it is. */
export function progressEvents(): ProgressDisplay {
  const running = new Map<string, AnyProgress>()
  const logProgress = () => {
    for (const progress of running.values()) logEvent('info', { event: 'progress', ...progress })
  }
  const timer = setInterval(logProgress, PROGRESS_EVERY_MS).unref()
  return {
    started: (source) => logEvent('info', { event: 'started', source }),
    progress(progress) {
      const { source, phase } = progress
      const before = running.get(source)
      running.set(source, progress)
      if (before?.phase !== phase) logEvent('info', { event: 'phase', source, phase })
    },
    finished(result) {
      const { source, status } = result
      running.delete(source)
      for (const { code, message } of otherWarnings(result))
        logEvent('warning', { event: 'warning', source, code, message })
      for (const { severity, ...problem } of resultNotes(result)) logProblem(LEVELS[severity], problem, source)
      logEvent(LEVELS[severityFromStatus(status)], { event: 'finished', ...result })
    },
    [Symbol.dispose]: () => clearInterval(timer),
  }
}

/** That a run stopped in time is no fault: the next one goes on. */
const LEVELS = { ok: 'info', notice: 'info', warning: 'warning', error: 'error' } as const
