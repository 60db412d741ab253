import * as core from '@actions/core'
import { readRunHistory, type SourceDescription, type SourceStatus } from '@tidemark/sync-core'
import prettyMs from 'pretty-ms'
import { describeStored, readInstallation, readRemoteHeads, readStored } from 'tidemark/runtime'
import { problemSentence } from '../runner/annotations.ts'
import { incompleteness, isBehind, setBehind } from '../runner/behind.ts'
import { withStepDatabase } from '../runner/database.ts'
import { durationInput, flagInput } from '../runner/inputs.ts'
import { log, oneLine } from '../runner/log.ts'
import { refuseMasked } from '../runner/masked-output.ts'
import { setResults } from '../runner/outputs.ts'
import { commitCell, repositoryUrl } from '../runner/repository-links.ts'
import { readStepContext } from '../runner/step-context.ts'
import { writeSummary } from '../runner/summary.ts'
import { runHistoryTable } from '../status/run-history.ts'

const MAX_NAMED = 20

/**
 * Shows where the sources stand. The output `behind` names those that are not what their ref is, or of which not all
 * can be found, and have not been for the input `max-age` where that is given.
 */
export async function status(): Promise<void> {
  const maxAgeMs = durationInput('max-age') ?? 0
  const embeds = flagInput('embed')
  const step = readStepContext()
  const ids = step.sources.map(({ id }) => id)
  const [{ problems, stored, runs }, heads] = await Promise.all([
    withStepDatabase(step, async (db) => {
      const problems = await readInstallation(db, step.config)
      const stored = await readStored(db, step.sources, step.config)
      return { problems, stored, runs: await readRunHistory(db, ids) }
    }),
    readRemoteHeads(step.sources),
  ])
  const writable = problems.every(({ severity }) => severity !== 'error')
  for (const problem of problems) core.warning(oneLine(problemSentence(problem)))
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
    problems.map(problemSentence).join('; ') || '–',
  ])
  for (const row of rows) log(oneLine(row.join(', ')))
  const linked = rows.map(([id, ...rest], i) => {
    const { repo } = step.sources[i]!
    return [{ text: id!, href: repositoryUrl(repo) }, ...rest, commitCell(repo, results[i]!.bookmark)]
  })
  const head = ['source', 'state', 'behind for', 'last status', 'last checked', 'set aside', 'problem', 'commit']
  await writeSummary('Tidemark: status', { tables: [{ head, rows: linked }, runHistoryTable(step.sources, runs)] })
  const behind = results.filter((result, i) => {
    const incompleteMs = result.behind === false ? sinceSyncMs(stored[i]!.status) : null
    return isBehind(result, { embeds }) && (result.behindMs ?? incompleteMs ?? Infinity) >= maxAgeMs
  })
  const names = behind.map(({ source }) => source)
  if (names.length > 0) {
    const since = maxAgeMs > 0 ? ` for ${prettyMs(maxAgeMs)} or longer` : ''
    core.warning(`${names.slice(0, MAX_NAMED).join(', ')}${names.length > MAX_NAMED ? ', …' : ''}`, {
      title: `tidemark: ${names.length} of ${ids.length} sources are behind${since}`,
    })
  }
  warnOfIncomplete(behind, embeds)
  setResults(results)
  refuseMasked(step, 'behind', JSON.stringify(names))
  core.setOutput('status', names.length > 0 ? 'behind' : 'up_to_date')
  setBehind(names)
}

type BehindSource = Pick<SourceDescription, 'behind' | 'problems'> & { readonly source: string }

/** What is at its ref and cannot all be found: that is not seen by its commit. */
function warnOfIncomplete(behind: readonly BehindSource[], embeds: boolean): void {
  const incomplete = behind.flatMap(({ source, problems, behind: moved }) => {
    const code = incompleteness({ problems }, { embeds })
    const problem = problems.find((each) => each.code === code)
    return moved === false && problem ? [`${source}: ${problemSentence(problem)}`] : []
  })
  if (incomplete.length === 0) return
  const shown = incomplete.slice(0, MAX_NAMED).join('; ')
  core.warning(oneLine(`${shown}${incomplete.length > MAX_NAMED ? '; …' : ''}`), {
    title: `tidemark: not all pages of ${incomplete.length} ${incomplete.length === 1 ? 'source' : 'sources'} can be found`,
  })
}

/** How long ago its bookmark was moved, by the clock of the database. */
function sinceSyncMs({ sinceCheckMs, lastCheckedAt, lastSyncedAt }: SourceStatus): number | null {
  if (sinceCheckMs === null || lastCheckedAt === null || lastSyncedAt === null) return null
  return sinceCheckMs + (lastCheckedAt.getTime() - lastSyncedAt.getTime())
}

const formatAge = (ms: number | null) => (ms === null ? '–' : prettyMs(ms, { unitCount: 2 }))
