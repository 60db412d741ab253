import { leaseKey, type Source } from '@tidemark/sync-core'
import type { Command } from 'commander'
import type { Config } from '../config/load-config.ts'
import { breakLease } from '../database/break-lease.ts'
import { table } from '../show/table.ts'
import { duration } from '../show/words.ts'
import { withDatabaseIfPresent } from './context.ts'
import { outputOf } from './globals.ts'

/** Breaks the leases of sources whose holders show no sign of life, or all of them, and tells what became of each. */
export async function breakLocks(
  command: Command,
  config: Config,
  sources: readonly Source[],
  options: { force?: boolean | undefined; maxAgeMs?: number | undefined },
): Promise<void> {
  const verdicts = await withDatabaseIfPresent(command, config, (db) =>
    Promise.all(sources.map(async ({ id }) => ({ source: id, ...(await breakLease(db, leaseKey(id), options)) }))),
  )
  const output = outputOf(command)
  const results = verdicts.map((verdict) => ({
    source: verdict.source,
    verdict: verdict.verdict,
    holder: 'holder' in verdict ? { host: verdict.holder.host, pid: verdict.holder.pid } : null,
    sinceRefreshMs: 'holder' in verdict ? verdict.sinceRefreshMs : null,
  }))
  if (output.json) {
    output.printJson({ results })
    return
  }
  const rows = results.map(({ source, verdict, holder, sinceRefreshMs }) => [
    source,
    output.paint(verdict === 'broken' ? 'yellow' : 'green', verdict),
    holder === null ? '–' : `process ${holder.pid} on ${holder.host}`,
    sinceRefreshMs === null ? '–' : `${duration(sinceRefreshMs)} ago`,
  ])
  if (!output.quiet) output.print(table(['source', 'lease', 'holder', 'last refreshed'], rows))
}
