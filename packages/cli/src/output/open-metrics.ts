import type { RunCount, SourceStatus } from '@tidemark/sync-core'
import { Gauge, type OpenMetricsContentType, Registry } from 'prom-client'
import type { StoredStanding } from '../runtime/describe-sources.ts'

/** A source as its metrics have it. */
export interface MeasuredSource extends StoredStanding {
  readonly pages: number
}

/** A metric of sources; null where it is not known of one, which then has none. */
interface Metric {
  readonly name: string
  readonly help: string
  value(source: MeasuredSource): number | null
}

const METRICS: readonly Metric[] = [
  {
    name: 'tidemark_source_staleness_seconds',
    help: 'For how long at most the source has not been what its ref is, without asking its server.',
    value: ({ status: { behindMs, sinceCheckMs } }) => seconds(behindMs ?? sinceCheckMs),
  },
  {
    name: 'tidemark_source_last_success_timestamp_seconds',
    help: 'When the source was last seen to be what its ref is.',
    value: ({ status }) => seconds(lastSuccessMs(status)),
  },
  {
    name: 'tidemark_source_last_run_duration_seconds',
    help: 'How long the last run took that had something to do.',
    value: ({ status: { lastRun } }) =>
      lastRun?.finishedAt ? seconds(Date.parse(lastRun.finishedAt) - Date.parse(lastRun.startedAt)) : null,
  },
  { name: 'tidemark_source_pages', help: 'Pages that are stored.', value: ({ pages }) => pages },
  {
    name: 'tidemark_source_quarantined_files',
    help: 'Files that are set aside.',
    value: ({ status }) => status.quarantined,
  },
  {
    name: 'tidemark_source_unindexed_pages',
    help: 'Pages that search does not find yet.',
    value: ({ status: { index } }) => (index === null ? 0 : index.pages - index.indexed),
  },
  {
    name: 'tidemark_source_unembedded_texts',
    help: 'Texts without an embedding, where someone is configured to embed them.',
    value: ({ unembedded }) => unembedded?.texts ?? null,
  },
  {
    name: 'tidemark_source_behind',
    help: 'Whether a newer commit is known than the one that is stored.',
    value: ({ status: { behindMs, dirty, lastCheckedAt } }) =>
      lastCheckedAt === null ? null : Number(behindMs !== null || dirty),
  },
  {
    name: 'tidemark_source_lease_held',
    help: 'Whether a process has the lease of the source.',
    value: ({ status: { lease } }) => Number(lease !== null && lease.expiresInMs > 0),
  },
]

const seconds = (ms: number | null) => ms && ms / 1000

/** A check that found nothing new is one too; while a newer commit is known, only what came to its end is. */
function lastSuccessMs({ behindMs, dirty, lastCheckedAt, lastSyncedAt }: SourceStatus): number | null {
  const checkedAt = behindMs === null && !dirty ? lastCheckedAt : null
  return Math.max(checkedAt?.getTime() ?? 0, lastSyncedAt?.getTime() ?? 0) || null
}

/** Sources and their runs as OpenMetrics has them. */
export function collectMetrics(sources: readonly MeasuredSource[], runs: readonly RunCount[]) {
  const registry = new Registry<OpenMetricsContentType>()
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
  for (const { value, ...named } of METRICS) {
    const gauge = new Gauge({ ...named, labelNames: ['source'], registers: [registry] })
    for (const source of sources) {
      const known = value(source)
      if (known !== null) gauge.set({ source: source.status.id }, known)
    }
  }
  // No counter: runs of a source that is removed are forgotten.
  const gauge = new Gauge({
    name: 'tidemark_source_runs',
    help: 'Runs that the database remembers, by how they ended.',
    labelNames: ['source', 'status'],
    registers: [registry],
  })
  for (const { count, ...labels } of runs) gauge.set(labels, count)
  return registry
}
