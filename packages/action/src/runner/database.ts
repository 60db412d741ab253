import type { Database } from '@tidemark/sync-core'
import { withDatabase } from 'tidemark/runtime'
import { annotate } from './annotations.ts'
import { oneLineError } from './log.ts'
import type { StepContext } from './step-context.ts'

type Work<T> = (db: Database) => Promise<T>

/** Opens the database of a step as it is, and closes it after the work. The signal ends the wait for it to answer. */
export function withStepDatabase<T>(step: Pick<StepContext, 'database'>, work: Work<T>, signal?: AbortSignal) {
  return withDatabase(step.database, work, { signal, onCloseError: warnOfClose })
}

/** The same, with its tables up to date. */
export function withMigratedDatabase<T>(step: Pick<StepContext, 'database'>, work: Work<T>, signal?: AbortSignal) {
  return withDatabase(step.database, work, { migrates: true, signal, onCloseError: warnOfClose })
}

function warnOfClose(error: Error): void {
  const message = `${oneLineError(error)}. A lease that the step still had ends by itself within 90 s.`
  annotate([{ level: 'warning', title: 'the database was not closed as it should be', message }])
}
