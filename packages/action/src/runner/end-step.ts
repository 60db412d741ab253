import * as core from '@actions/core'
import { exitCodeFromResults, type SyncStatus } from '@tidemark/sync-core'
import type { Stop } from 'tidemark/runtime'
import { setRunOutputs } from './outputs.ts'

/** The exit codes of the command that fail a step, for each value of the input `fail-on`. */
const FAILING = { failed: [1], blocked: [1, 3], never: [] } satisfies Record<string, number[]>

export type FailOn = keyof typeof FAILING

export const FAIL_ON = Object.keys(FAILING) as FailOn[]

type Results = readonly { readonly status: SyncStatus }[]

/** Sets whether the step fails; each of its results has been shown already. */
export function endStep(results: Results, { failOn, stop }: { failOn: FailOn; stop: Stop }): void {
  const stopped = stop.exitCode()
  // A database that has gone silent would keep the process until it is killed.
  if (stopped !== undefined) process.exit(stopped)
  const failing: readonly number[] = FAILING[failOn]
  if (failing.includes(exitCodeFromResults(results))) process.exitCode = core.ExitCode.Failure
}

/** Ends a step that was stopped before the database has answered; throws the error of one that was not stopped. */
export function endEarly(error: unknown, cancelled: Results, stop: Stop): never {
  if (!stop.signal.aborted) throw error
  core.notice('Nothing was done yet; the next run begins where this one would have.', {
    title: 'tidemark: stopped before the database has answered',
  })
  setRunOutputs(cancelled)
  // A connection may still be on its way.
  process.exit(stop.exitCode())
}
