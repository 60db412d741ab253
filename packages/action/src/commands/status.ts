import * as core from '@actions/core'
import { readStatus, type SourceStatus } from '@tidemark/sync-core'
import prettyMs from 'pretty-ms'
import { chosenSources } from '../chosen-sources.ts'
import { withDatabase } from '../database.ts'
import { type Head, readHeads } from '../heads.ts'
import { durationInput } from '../inputs.ts'
import { setResults } from '../job/set-results.ts'
import { writeSummary } from '../summary.ts'

/**
 * Tells where the sources stand. The output `behind` names those that are not what their ref is, and have not been
 * for the input `max-age` where that is given.
 */
export async function status(): Promise<void> {
  const maxAgeMs = durationInput('max-age') ?? 0
  const chosen = chosenSources()
  const ids = chosen.sources.map(({ id }) => id)
  // Until something else is known of them.
  core.setOutput('behind', JSON.stringify(ids))
  const [standings, heads] = await Promise.all([
    withDatabase(chosen, (db) => readStatus(db, ids)),
    readHeads(chosen.sources),
  ])
  const results = standings.map((standing, i) => stateOf(standing, heads[i]!))
  const behind = results.filter(({ state, behindMs }) => state !== 'up_to_date' && (behindMs ?? Infinity) >= maxAgeMs)
  const rows = results.map(({ source, state, behindMs, lastStatus, sinceCheckMs, quarantined }) => [
    source,
    state.replaceAll('_', ' '),
    duration(behindMs),
    lastStatus ?? '–',
    duration(sinceCheckMs),
    String(quarantined),
  ])
  for (const row of rows) core.info(row.join(', '))
  const head = ['source', 'state', 'behind for', 'last status', 'last checked', 'set aside']
  await writeSummary('Tidemark: status', head, rows)
  const names = behind.map(({ source }) => source)
  if (names.length > 0) {
    const since = maxAgeMs > 0 ? ` for ${prettyMs(maxAgeMs)} or longer` : ''
    core.warning(`${names.slice(0, 20).join(', ')}${names.length > 20 ? ', …' : ''}`, {
      title: `tidemark: ${names.length} of ${ids.length} sources are behind${since}`,
    })
  }
  setResults(results)
  core.setOutput('status', names.length > 0 ? 'behind' : 'up_to_date')
  core.setOutput('behind', JSON.stringify(names))
}

function stateOf(standing: SourceStatus, head: Head) {
  const { id, bookmark, dirty, behindMs, lastStatus, sinceCheckMs, quarantined } = standing
  const target = 'commit' in head ? head.commit : null
  const state =
    bookmark === null
      ? 'never_synced'
      : target === null
        ? 'unreachable'
        : target === bookmark && !dirty
          ? 'up_to_date'
          : 'behind'
  // A ref that has moved since it was last looked at has done so since then at the earliest.
  const sinceMs = state === 'up_to_date' ? null : (behindMs ?? sinceCheckMs)
  return {
    source: id,
    state,
    bookmark,
    target,
    behindMs: rounded(sinceMs),
    lastStatus,
    sinceCheckMs: rounded(sinceCheckMs),
    quarantined,
    problem: 'problem' in head ? head.problem : null,
  }
}

const rounded = (ms: number | null) => (ms === null ? null : Math.round(ms))
const duration = (ms: number | null) => (ms === null ? '–' : prettyMs(ms, { unitCount: 2 }))
