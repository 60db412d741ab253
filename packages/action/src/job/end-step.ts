import * as core from '@actions/core'
import type { Stop } from './stop-on-signals.ts'
import { type Ended, type FailOn, failsStep, worstStatus } from './worst-status.ts'

/** Sets the outputs `results`, `status` and `partial`, and whether the step fails. */
export function endStep(results: readonly Ended[], { failOn, stop }: { failOn: FailOn; stop: Stop }): void {
  core.setOutput('results', JSON.stringify({ version: 1, results }))
  core.setOutput('status', worstStatus(results))
  core.setOutput(
    'partial',
    results.some(({ status }) => status === 'partial'),
  )
  // Each of them has been told as an error already.
  if (failsStep(results, failOn)) process.exitCode = core.ExitCode.Failure
  process.exitCode = stop.exitCode() ?? process.exitCode
}

/** Stopped before the database has answered: nothing was done, and a connection may still be on its way. */
export function endEarly(stop: Stop): never {
  core.notice('Nothing was done yet; the next run begins where this one would have.', {
    title: 'tidemark: stopped before the database has answered',
  })
  core.setOutput('status', 'partial')
  core.setOutput('partial', true)
  process.exit(stop.exitCode())
}
