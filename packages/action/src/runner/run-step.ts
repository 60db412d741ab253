import * as core from '@actions/core'
import { type Database, exitCodeFromResults, type RunResult } from '@tidemark/sync-core'
import { type Stop, stopOnSignals } from 'tidemark/runtime'
import { annotate, resultAnnotations } from './annotations.ts'
import { withMigratedDatabase } from './database.ts'
import { choiceInput } from './inputs.ts'
import { setRunOutputs } from './outputs.ts'
import { recordLeases } from './recorded-leases.ts'
import type { StepContext } from './step-context.ts'
import { type Cell, writeSummary } from './summary.ts'

/** The exit codes of the command that fail a step, for each value of the input `fail-on`. */
const FAILING = { failed: [1], blocked: [1, 3], never: [] } satisfies Record<string, number[]>

type FailOn = keyof typeof FAILING

/** How runs stand in the summary of the job: a row each. */
export interface RunTable<R> {
  readonly heading: string
  readonly head: readonly string[]
  row(result: R): Cell[]
}

interface RunWork<R> {
  /** Works on the sources and logs their results; one that fails stops no other. */
  work(db: Database, signal: AbortSignal): Promise<R[]>
  /** The result of a source that was not begun. */
  cancelled(source: string): R
  /** Sets what the step has for outputs beside those of every run. */
  setOutputs?(results: readonly R[]): void
  readonly table: RunTable<R>
}

/** A step that syncs or embeds: outputs, annotations, the summary, and whether the step fails. */
export async function runStep<R extends RunResult>(
  step: StepContext,
  { work, cancelled, setOutputs, table }: RunWork<R>,
) {
  const failing: readonly number[] = FAILING[choiceInput('fail-on', Object.keys(FAILING) as FailOn[])]
  const stop = stopOnSignals()
  recordLeases()
  const setAllOutputs = (results: readonly R[]) => {
    setRunOutputs(results)
    setOutputs?.(results)
  }
  const workAndSet = async (db: Database) => {
    const results = await work(db, stop.signal)
    // A job that was cancelled may be killed before its database has been closed.
    setAllOutputs(results)
    return results
  }
  const results = await withMigratedDatabase(step, workAndSet, stop.signal).catch((error: unknown) => {
    if (!stop.signal.aborted) throw error
    setAllOutputs(step.sources.map(({ id }) => cancelled(id)))
    return endEarly(stop)
  })
  await showResults(results, table)
  const stopped = stop.exitCode()
  // A database that has gone silent would keep the process until it is killed.
  if (stopped !== undefined) process.exit(stopped)
  if (failing.includes(exitCodeFromResults(results))) process.exitCode = core.ExitCode.Failure
}

/** Shows what someone should know of runs: as annotations, and in the summary of the job. */
export async function showResults<R extends RunResult>(results: readonly R[], { heading, head, row }: RunTable<R>) {
  const annotations = results.flatMap(resultAnnotations)
  annotate(annotations)
  await writeSummary(heading, { tables: [{ head, rows: results.map(row) }], annotations })
}

/** Ends a step that was stopped before the database has answered. */
function endEarly(stop: Stop): never {
  core.notice('Nothing was done yet; the next run begins where this one would have.', {
    title: 'tidemark: stopped before the database has answered',
  })
  // A connection may still be on its way.
  process.exit(stop.exitCode())
}
