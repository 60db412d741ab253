import * as core from '@actions/core'
import prettyMs from 'pretty-ms'
import { describeStored, readInstallation, readRemoteHeads, readStored } from 'tidemark/runtime'
import { withStepDatabase } from '../runner/database.ts'
import { durationInput } from '../runner/inputs.ts'
import { log, oneLine } from '../runner/log.ts'
import { setResults } from '../runner/outputs.ts'
import { readStepContext } from '../runner/step-context.ts'
import { writeSummary } from '../runner/summary.ts'

const MAX_NAMED = 20

/**
 * Shows where the sources stand. The output `behind` names those that are not what their ref is, and have not been
 * for the input `max-age` where that is given.
 */
export async function status(): Promise<void> {
  const maxAgeMs = durationInput('max-age') ?? 0
  const step = readStepContext()
  const ids = step.sources.map(({ id }) => id)
  // Until something else is known of them.
  core.setOutput('behind', JSON.stringify(ids))
  const [{ problems, stored }, heads] = await Promise.all([
    withStepDatabase(step, async (db) => {
      const problems = await readInstallation(db, step.config)
      return { problems, stored: await readStored(db, step.sources, step.config) }
    }),
    readRemoteHeads(step.sources),
  ])
  const writable = problems.every(({ severity }) => severity !== 'error')
  for (const { message, nextStep } of problems) core.warning(oneLine(`${message} ${nextStep}`))
  const results = step.sources.map((source, i) => {
    const { sinceCheckMs } = stored[i]!.status
    return {
      source: source.id,
      ...describeStored(source, stored[i]!, heads[i]!, step.config, { writable }),
      sinceCheckMs: sinceCheckMs === null ? null : Math.round(sinceCheckMs),
    }
  })
  const rows = results.map(({ source, state, behindMs, lastStatus, sinceCheckMs, quarantined, problems }) => [
    source,
    state.replaceAll('_', ' '),
    formatAge(behindMs),
    lastStatus ?? '–',
    formatAge(sinceCheckMs),
    String(quarantined),
    problems.map(({ message, nextStep }) => `${message} ${nextStep}`).join('; ') || '–',
  ])
  for (const row of rows) log(oneLine(row.join(', ')))
  const head = ['source', 'state', 'behind for', 'last status', 'last checked', 'set aside', 'problem']
  await writeSummary('Tidemark: status', head, rows)
  const behind = results.filter((result) => result.behind !== false && (result.behindMs ?? Infinity) >= maxAgeMs)
  const names = behind.map(({ source }) => source)
  if (names.length > 0) {
    const since = maxAgeMs > 0 ? ` for ${prettyMs(maxAgeMs)} or longer` : ''
    core.warning(`${names.slice(0, MAX_NAMED).join(', ')}${names.length > MAX_NAMED ? ', …' : ''}`, {
      title: `tidemark: ${names.length} of ${ids.length} sources are behind${since}`,
    })
  }
  setResults(results)
  core.setOutput('status', names.length > 0 ? 'behind' : 'up_to_date')
  core.setOutput('behind', JSON.stringify(names))
}

const formatAge = (ms: number | null) => (ms === null ? '–' : prettyMs(ms, { unitCount: 2 }))
