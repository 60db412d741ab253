import type { EndedRun } from '@tidemark/sync-core'
import prettyMs from 'pretty-ms'
import type { ConfiguredSource } from 'tidemark/config'
import { repositoryUrl } from '../runner/repository-links.ts'
import type { Table } from '../runner/summary.ts'

/** Runs that are shown of each source, the newest. */
const MAX_SHOWN = 8

/** How stale sources were over their last waves. @param runs newest first */
export function runHistoryTable(sources: readonly ConfiguredSource[], runs: readonly EndedRun[]): Table {
  const bySource = Map.groupBy(runs, ({ source }) => source)
  const shown = sources.filter(({ id }) => bySource.has(id))
  const columns = Math.max(0, ...shown.map(({ id }) => Math.min(MAX_SHOWN, bySource.get(id)!.length)))
  const places = Array.from({ length: columns }, (_, i) => i)
  return {
    caption: 'How long each was known to be behind when its last runs ended, newest first',
    head: ['source', ...places.map((i) => (i === 0 ? 'last run' : `${i + 1}`))],
    rows: shown.map(({ id, repo }) => [
      { text: id, href: repositoryUrl(repo) },
      ...places.map((i) => formatRun(bySource.get(id)![i])),
    ]),
  }
}

const COMPLETE = new Set<EndedRun['status']>(['synced', 'first_sync', 'up_to_date'])

function formatRun(run: EndedRun | undefined): string {
  if (run === undefined) return ''
  const { status, behindMs } = run
  const behind = behindMs === null ? '?' : prettyMs(behindMs, { unitCount: 2, secondsDecimalDigits: 0 })
  return COMPLETE.has(status) ? behind : `${behind} (${status})`
}
