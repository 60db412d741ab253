import { dirname, join } from 'node:path'
import * as core from '@actions/core'
import {
  type Database,
  migrate,
  readStatus,
  type SourceStanding,
  type SyncResult,
  syncSource,
} from '@tidemark/sync-core'
import pMap from 'p-map'
import { type Chosen, chosenSources, withDatabase } from '../chosen-sources.ts'
import { choiceInput, countInput, durationInput } from '../inputs.ts'
import { annotate } from '../job/annotate.ts'
import { endEarly, endStep } from '../job/end-step.ts'
import { notingLeases } from '../job/noted-leases.ts'
import { nowAndThen } from '../job/now-and-then.ts'
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
  using stop = stopOnSignals()
  const settings = { budgetMs, breakLockIfStaleMs, concurrency, stop }
  const { results, standings } = await syncAll(chosen, settings).catch((error: unknown) => {
    if (!stop.signal.aborted) throw error
    setBehind(chosen.sources.map(({ id }) => id))
    return endEarly(stop)
  })
  const steps = results.flatMap(nextSteps)
  annotate(steps)
  await summarize(results, standings, steps)
  setBehind(results.filter(isBehind).map(({ source }) => source))
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
  return withDatabase(
    chosen,
    async (opened) => {
      const db = notingLeases(opened)
      await migrate(db)
      const syncOne = async (source: (typeof chosen.sources)[number]): Promise<SyncResult> => {
        const result = await syncSource(db, source, options)
        tellResult(result)
        return result
      }
      const results = await pMap(chosen.sources, syncOne, { concurrency })
      return { results, standings: await standingsOf(opened, results) }
    },
    signal,
  )
}

/** What the summary tells beside the results; a cancelled job has seconds, and a database may have gone silent. */
const STANDINGS_MS = 2_000

async function standingsOf(opened: Database, results: readonly SyncResult[]): Promise<SourceStanding[]> {
  const soon = AbortSignal.timeout(STANDINGS_MS)
  const db: Database = { ...opened, query: (text, params) => opened.query(text, params, soon) }
  const ids = results.map(({ source }) => source)
  // Why it does not answer is told by the results.
  return readStatus(db, ids).catch(() => [])
}

const DONE = ['up_to_date', 'synced', 'first_sync']

const isBehind = ({ status }: SyncResult) => !DONE.includes(status)
