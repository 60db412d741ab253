import * as core from '@actions/core'
import { setOutcome } from './set-results.ts'
import type { Stop } from './stop-on-signals.ts'
import { type Ended, type FailOn, failsStep } from './worst-status.ts'

/** Sets whether the step fails; each of its results has been told already. */
export function endStep(results: readonly Ended[], { failOn, stop }: { failOn: FailOn; stop: Stop }): void {
  const stopped = stop.exitCode()
  // A database that has gone silent would keep the process until it is killed.
  if (stopped !== undefined) process.exit(stopped)
  if (failsStep(results, failOn)) process.exitCode = core.ExitCode.Failure
}

/** Stopped before the database has answered: nothing was done, and a connection may still be on its way. */
export function endEarly(results: readonly Ended[], stop: Stop): never {
  core.notice('Nothing was done yet; the next run begins where this one would have.', {
    title: 'tidemark: stopped before the database has answered',
  })
  setOutcome(results, 'partial')
  process.exit(stop.exitCode())
}
