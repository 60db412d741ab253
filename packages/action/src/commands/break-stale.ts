import prettyMs from 'pretty-ms'
import { breakSourceLeases } from 'tidemark/runtime'
import { withMigratedDatabase } from '../runner/database.ts'
import { durationInput } from '../runner/inputs.ts'
import { log } from '../runner/log.ts'
import { setResults } from '../runner/outputs.ts'
import { readStepContext } from '../runner/step-context.ts'
import { writeSummary } from '../runner/summary.ts'

/** Longer than any live holder goes without a heartbeat. */
const DEFAULT_MAX_AGE_MS = 300_000

/** Breaks the leases of sources whose holder has shown no sign of life for the input `max-age`. */
export async function breakStale(): Promise<void> {
  const maxAgeMs = durationInput('max-age') ?? DEFAULT_MAX_AGE_MS
  const step = readStepContext()
  const results = await withMigratedDatabase(step, (db) => breakSourceLeases(db, step.sources, { maxAgeMs }))
  setResults(results)
  const held = results.filter(({ verdict }) => verdict !== 'absent')
  const rows = held.map(({ source, verdict, holder, sinceRefreshMs }) => [
    source,
    verdict,
    `process ${holder!.pid} on ${holder!.host}`,
    sinceRefreshMs === null ? '?' : prettyMs(sinceRefreshMs, { unitCount: 2 }),
  ])
  for (const row of rows) log(row.join(', '))
  const broken = held.filter(({ verdict }) => verdict === 'broken').length
  log(`${broken} of ${held.length} leases that are held were broken`)
  const head = ['source', 'verdict', 'holder', 'silent for']
  if (broken > 0) await writeSummary('Tidemark: leases', { tables: [{ head, rows }] })
}
