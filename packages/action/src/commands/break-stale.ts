import * as core from '@actions/core'
import { leaseKey } from '@tidemark/sync-core'
import prettyMs from 'pretty-ms'
import { chosenSources } from '../chosen-sources.ts'
import { withMigratedDatabase } from '../database.ts'
import { durationInput } from '../inputs.ts'
import { setResults } from '../job/set-results.ts'
import { writeSummary } from '../summary.ts'

/** Longer than any live holder goes without a heartbeat. */
const MAX_AGE_MS = 300_000

/** Breaks the leases of sources whose holder has shown no sign of life for the input `max-age`. */
export async function breakStale(): Promise<void> {
  const maxAgeMs = durationInput('max-age') ?? MAX_AGE_MS
  const chosen = chosenSources()
  const results = await withMigratedDatabase(chosen, (db) =>
    Promise.all(
      chosen.sources.map(async ({ id }) => {
        const told = await db.locks.break(leaseKey(id), { maxAgeMs })
        const { verdict } = told
        if (verdict === 'absent') return { source: id, verdict, holder: null, sinceRefreshMs: null }
        const { host, pid } = told.holder
        return { source: id, verdict, holder: { host, pid }, sinceRefreshMs: told.sinceRefreshMs }
      }),
    ),
  )
  setResults(results)
  const held = results.filter(({ verdict }) => verdict !== 'absent')
  const rows = held.map(({ source, verdict, holder, sinceRefreshMs }) => [
    source,
    verdict,
    `process ${holder!.pid} on ${holder!.host}`,
    sinceRefreshMs === null ? '?' : prettyMs(sinceRefreshMs, { unitCount: 2 }),
  ])
  for (const row of rows) core.info(row.join(', '))
  const broken = held.filter(({ verdict }) => verdict === 'broken').length
  core.info(`${broken} of ${held.length} leases that are held were broken`)
  if (broken > 0) await writeSummary('Tidemark: leases', ['source', 'verdict', 'holder', 'silent for'], rows)
}
