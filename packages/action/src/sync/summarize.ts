import type { SourceStatus, SyncResult } from '@tidemark/sync-core'
import prettyMs from 'pretty-ms'
import type { NextStep } from '../job/next-step.ts'
import { runsLeft } from '../job/runs-left.ts'
import { endedAs } from '../job/tell-end.ts'
import { writeSummary } from '../summary.ts'
import { filesDone } from './files-done.ts'
import { changesOf } from './tell-result.ts'

const HEAD = ['source', 'status', 'files', 'left', 'runs more', 'rate', 'behind', 'time']

/** Writes how the syncs of a job ended, and what someone should know of them. */
export async function summarize(
  results: readonly SyncResult[],
  standings: readonly SourceStatus[],
  steps: readonly NextStep[],
): Promise<void> {
  const behind = new Map(standings.map(({ id, behindMs }) => [id, behindMs]))
  const rows = results.map((result) => [
    result.source,
    endedAs(result),
    changesOf(result),
    String(result.filesRemaining ?? '?'),
    result.status === 'partial' ? String(runsLeft(result.filesRemaining, filesDone(result)) ?? '?') : '–',
    rateOf(result),
    agoOf(behind.get(result.source)),
    prettyMs(result.elapsedMs),
  ])
  await writeSummary('Tidemark: sync', HEAD, rows, steps)
}

function rateOf(result: SyncResult): string {
  const done = filesDone(result)
  return done === 0 ? '–' : `${Math.round(done / Math.max(result.elapsedMs / 1000, 0.001))} files/s`
}

/** For how long a newer commit is known than the one that is in. */
function agoOf(behindMs: number | null | undefined): string {
  if (behindMs === undefined) return '?'
  return behindMs === null ? '–' : prettyMs(behindMs, { unitCount: 2 })
}
