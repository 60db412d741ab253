import { dirname, join } from 'node:path'
import * as core from '@actions/core'
import {
  type Database,
  emptyResult,
  readStatus,
  type SourceStatus,
  type SyncResult,
  syncSource,
} from '@tidemark/sync-core'
import pMap from 'p-map'
import { type Chosen, chosenSources } from '../chosen-sources.ts'
import { withMigratedDatabase } from '../database.ts'
import { choiceInput, countInput, durationInput } from '../inputs.ts'
import { annotate } from '../job/annotate.ts'
import { endEarly, endStep } from '../job/end-step.ts'
import { notingLeases } from '../job/noted-leases.ts'
import { nowAndThen } from '../job/now-and-then.ts'
import { setOutcome } from '../job/set-results.ts'
import { type Stop, stopOnSignals } from '../job/stop-on-signals.ts'
import { FAIL_ON } from '../job/worst-status.ts'
import { nextSteps } from '../sync/next-steps.ts'
import { summarize } from '../sync/summarize.ts'
import { progressLine, tellResult } from '../sync/tell-result.ts'

/** Brings sources up to date, each within its budget; one that fails stops no other. */
export async function sync(): Promise<void> {
  const budgetMs = durationInput('timeout')
  const breakLockIfStaleMs = durationInput('max-age')
  const concurrency = countInput('concurrency')
  const failOn = choiceInput('fail-on', FAIL_ON)
  const chosen = chosenSources()
  const ids = chosen.sources.map(({ id }) => id)
  // Until something else is known of them.
  setBehind(ids)
  using stop = stopOnSignals()
  const settings = { budgetMs, breakLockIfStaleMs, concurrency, stop }
  const { results, standings } = await syncAll(chosen, settings).catch((error: unknown) => {
    if (!stop.signal.aborted) throw error
    return endEarly(
      ids.map((id) => emptyResult(id, { status: 'partial', reason: 'cancelled' })),
      stop,
    )
  })
  const steps = results.flatMap(nextSteps)
  annotate(steps)
  await summarize(results, standings, steps)
  endStep(results, { failOn, stop })
}

const setBehind = (sources: readonly string[]) => core.setOutput('behind', JSON.stringify(sources))

interface Settings {
  readonly budgetMs: number | undefined
  readonly breakLockIfStaleMs: number | undefined
  readonly concurrency: number
  readonly stop: Stop
}

async function syncAll(chosen: Chosen, { concurrency, stop, ...settings }: Settings) {
  const { signal } = stop
  const clones = join(dirname(chosen.config.file), '.tidemark', 'clones')
  const { search } = chosen.config
  const options = { ...settings, signal, clones, search, onProgress: nowAndThen(progressLine) }
  return withMigratedDatabase(
    chosen,
    async (opened) => {
      const db = notingLeases(opened)
      const syncOne = async (source: (typeof chosen.sources)[number]): Promise<SyncResult> => {
        const result = await syncSource(db, source, options)
        tellResult(result)
        return result
      }
      const results = await pMap(chosen.sources, syncOne, { concurrency })
      // A job that was cancelled may be killed before its database has been closed.
      setOutcome(results)
      setBehind(results.filter(isBehind).map(({ source }) => source))
      return { results, standings: signal.aborted ? [] : await standingsOf(opened, results) }
    },
    signal,
  )
}

/** What the summary tells beside the results; a database may have gone silent. */
const STANDINGS_MS = 2_000

async function standingsOf(opened: Database, results: readonly SyncResult[]): Promise<SourceStatus[]> {
  const soon = AbortSignal.timeout(STANDINGS_MS)
  const db: Database = { ...opened, query: (text, params) => opened.query(text, params, soon) }
  const ids = results.map(({ source }) => source)
  // Why it does not answer is told by the results.
  return readStatus(db, ids).catch(() => [])
}

const DONE = ['up_to_date', 'synced', 'first_sync']

const isBehind = ({ status }: SyncResult) => !DONE.includes(status)
