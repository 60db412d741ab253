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
import { annotate } from '../sync/annotate.ts'
import { nextSteps } from '../sync/next-step.ts'
import { notingLeases } from '../sync/noted-leases.ts'
import { type Stop, stopOnSignals } from '../sync/stop-on-signals.ts'
import { summarize } from '../sync/summarize.ts'
import { tellProgress, tellResult } from '../sync/tell-result.ts'
import { failing, worstStatus } from '../sync/worst-status.ts'

/** Brings sources up to date, each within its budget; one that fails stops no other. */
export async function sync(): Promise<void> {
  const budgetMs = durationInput('timeout')
  const breakLockIfStaleMs = durationInput('max-age')
  const concurrency = countInput('concurrency')
  const failOn = choiceInput('fail-on', ['failed', 'blocked', 'never'])
  const chosen = chosenSources()
  using stop = stopOnSignals()
  const settings = { budgetMs, breakLockIfStaleMs, concurrency, stop }
  const { results, standings } = await syncAll(chosen, settings).catch((error: unknown) => {
    if (!stop.signal.aborted) throw error
    return endedEarly(chosen, stop)
  })
  const steps = results.flatMap(nextSteps)
  annotate(steps)
  await summarize(results, standings, steps)
  core.setOutput('results', JSON.stringify({ version: 1, results }))
  core.setOutput('status', worstStatus(results))
  core.setOutput(
    'partial',
    results.some(({ status }) => status === 'partial'),
  )
  core.setOutput('behind', JSON.stringify(results.filter(isBehind).map(({ source }) => source)))
  // Each of them has been told as an error already.
  if (failing(results, failOn).length > 0) process.exitCode = core.ExitCode.Failure
  process.exitCode = stop.exitCode() ?? process.exitCode
}

/** Stopped before the database has answered: nothing was done, and a connection may still be on its way. */
function endedEarly({ sources }: Chosen, stop: Stop): never {
  core.notice('Nothing was done yet; the next run begins where this one would have.', {
    title: 'tidemark: stopped before the database has answered',
  })
  core.setOutput('status', 'partial')
  core.setOutput('partial', true)
  core.setOutput('behind', JSON.stringify(sources.map(({ id }) => id)))
  process.exit(stop.exitCode())
}

interface Settings {
  readonly budgetMs: number | undefined
  readonly breakLockIfStaleMs: number | undefined
  readonly concurrency: number
  readonly stop: Stop
}

async function syncAll(chosen: Chosen, { concurrency, stop, ...settings }: Settings) {
  const { signal } = stop
  const clones = join(dirname(chosen.config.file), '.tidemark', 'clones')
  const options = { ...settings, signal, clones, onProgress: tellProgress() }
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
