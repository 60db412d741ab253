import type { RunResult } from '@tidemark/sync-core'
import { Histogram, type OpenMetricsContentType, Registry } from 'prom-client'

/** From a look that finds nothing to a first import, in seconds. */
const BUCKETS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1_000]

/** How long the runs of this process took. */
export function createRunMetrics() {
  const registry = new Registry<OpenMetricsContentType>()
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
  const histogram = (name: string, help: string) =>
    new Histogram({ name, help, labelNames: ['source', 'status'], buckets: BUCKETS, registers: [registry] })
  const syncs = histogram('tidemark_watch_sync_duration_seconds', 'How long syncs of this process took.')
  const embeds = histogram('tidemark_watch_embed_duration_seconds', 'How long embedding by this process took.')
  return {
    registry,
    observe(result: RunResult) {
      const { source, status, elapsedMs } = result
      const durations = 'chunksEmbedded' in result ? embeds : syncs
      durations.observe({ source, status }, elapsedMs / 1_000)
    },
  }
}
