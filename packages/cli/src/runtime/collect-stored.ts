import { countRuns, countSource, type Database } from '@tidemark/sync-core'
import type { Config } from '../config/load-config.ts'
import { collectMetrics } from '../output/open-metrics.ts'
import { readStored } from './describe-sources.ts'

/** What the database knows of the sources of a configuration, as metrics. */
export async function collectStored(db: Database, config: Config) {
  const ids = config.sources.map(({ id }) => id)
  const sources = []
  for (const stored of await readStored(db, config.sources, config))
    sources.push({ ...stored, pages: (await countSource(db, stored.status.id)).pages })
  return collectMetrics(sources, await countRuns(db, ids))
}
