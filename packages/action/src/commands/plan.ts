import { randomUUID } from 'node:crypto'
import * as core from '@actions/core'
import type { RemoteHead, SourceDescription } from '@tidemark/sync-core'
import prettyMs from 'pretty-ms'
import { type ConfiguredSource, UsageError } from 'tidemark/config'
import { describeStored, readRemoteHeads, readStored } from 'tidemark/runtime'
import { type DueSource, dueSources, nextDueMs } from '../plan/due-sources.ts'
import { readHeldSources } from '../plan/held-sources.ts'
import { type MatrixEntry, matrixEntries } from '../plan/matrix-entries.ts'
import { readP95Durations } from '../plan/p95-durations.ts'
import { annotate, problemSentence } from '../runner/annotations.ts'
import { incompleteness, isBehind, setBehind } from '../runner/behind.ts'
import { withMigratedDatabase } from '../runner/database.ts'
import { decisionInputs, SYNC_DECISIONS } from '../runner/decision-inputs.ts'
import { countInput, durationInput, flagInput, namesInput } from '../runner/inputs.ts'
import { log } from '../runner/log.ts'
import { refuseMasked } from '../runner/masked-output.ts'
import { commitCell, repositoryUrl } from '../runner/repository-links.ts'
import { readStepContext, type StepContext } from '../runner/step-context.ts'
import { type Cell, writeSummary } from '../runner/summary.ts'

/** A budget below this would be spent before a slow server has answered. */
const MIN_BUDGET_MS = 120_000

/** A source and all that is known of it. */
interface Known {
  readonly source: ConfiguredSource
  readonly head: RemoteHead
  readonly description: SourceDescription
  /** Who is at it, so that it is left out; null where nobody is, or a person has decided something about it. */
  readonly heldBy: string | null
}

interface Plan {
  readonly known: readonly Known[]
  readonly due: readonly DueSource[]
  readonly entries: readonly MatrixEntry[]
  /** When the next source is due that is not yet; null where there is none. */
  readonly nextMs: number | null
}

/** Sets the outputs `matrix`, `any` and `behind`: the sources that are due, most stale first, each in a job of its own. */
export async function plan(): Promise<void> {
  const concurrency = countInput('concurrency')
  const embeds = flagInput('embed')
  const decided = Object.values(decisionInputs(SYNC_DECISIONS)).includes(true)
  const maxMs = durationInput('timeout')
  if (maxMs === undefined) throw new UsageError('the input timeout is empty', 'Give a duration such as 45m.')
  const step = readStepContext()
  const { embedding, search } = step.config
  const ids = step.sources.map(({ id }) => id)
  const [{ stored, p95, holders }, heads] = await Promise.all([
    withMigratedDatabase(step, async (db) => ({
      stored: await readStored(db, step.sources, { embedding: embeds ? embedding : null }),
      p95: await readP95Durations(db, ids),
      holders: await readHeldSources(db, { embeds }),
    })),
    readRemoteHeads(step.sources),
  ])
  const known = step.sources.map((source, i): Known => {
    const description = describeStored(source, stored[i]!, heads[i]!, { search }, {})
    return { source, head: heads[i]!, description, heldBy: decided ? null : (holders.get(source.id) ?? null) }
  })
  warnOfUnreachable(known)
  // A source that is named is to be synced now.
  const named = namesInput().length > 0
  const candidates = known.flatMap(({ source, head, description, heldBy }, i) => {
    if (heldBy !== null) return []
    const wanted = named ? { ...source, everyMs: 0 } : source
    const changed = description.problems.some(({ code }) => code === 'settings_changed')
    const incomplete = changed ? ('settings_changed' as const) : incompleteness(description, { embeds })
    return [{ source: wanted, status: stored[i]!.status, head, incomplete, p95Ms: p95.get(source.id) ?? null }]
  })
  const due = dueSources(candidates, { minMs: Math.min(MIN_BUDGET_MS, maxMs), maxMs })
  const dueIds = new Set(due.map(({ id }) => id))
  const entries = matrixEntries(due, { concurrency, embeds, wave: randomUUID().slice(0, 8) })
  const nextMs = nextDueMs(candidates.filter(({ source }) => !dueIds.has(source.id)))
  await showPlan({ known, due, entries, nextMs })
  setOutputs(
    step,
    entries,
    known.filter(({ description }) => isBehind(description, { embeds })),
  )
}

/** @throws {UsageError} where one of them would not arrive. */
function setOutputs(step: StepContext, entries: readonly MatrixEntry[], behind: readonly Known[]): void {
  const matrix = JSON.stringify({ include: entries })
  const names = behind.map(({ source }) => source.id)
  refuseMasked(step, 'matrix', matrix)
  refuseMasked(step, 'any', String(entries.length > 0))
  refuseMasked(step, 'behind', JSON.stringify(names))
  core.setOutput('matrix', matrix)
  core.setOutput('any', entries.length > 0)
  setBehind(names)
}

/** GitHub shows ten warnings of a step. */
const MAX_WARNINGS = 10

function warnOfUnreachable(known: readonly Known[]): void {
  const unreachable = known.flatMap(({ source: { id }, head }) =>
    'problem' in head ? [{ id, problem: head.problem }] : [],
  )
  const named = unreachable.length > MAX_WARNINGS ? unreachable.slice(0, MAX_WARNINGS - 1) : unreachable
  for (const { id, problem } of named) {
    const message = `${problemSentence(problem)} It is planned nevertheless; its own job will say more.`
    annotate([{ level: 'warning', title: `${id} did not answer`, message }])
  }
  if (named.length === unreachable.length) return
  const others = unreachable.slice(named.length).map(({ id }) => id)
  core.warning(`${others.join(', ')}. They are planned nevertheless.`, {
    title: `tidemark: ${others.length} more did not answer`,
  })
}

/** Shows in the log and in the summary what is due and why, and what is left out. */
async function showPlan({ known, due, entries, nextMs }: Plan): Promise<void> {
  const held = known.filter(({ heldBy }) => heldBy !== null)
  const sentence = [
    `${due.length} of ${known.length} sources are due${entries.length > 0 ? `, in ${entries.length} ${entries.length === 1 ? 'job' : 'jobs'}` : ''}`,
    ...(held.length > 0 ? [`${held.length} left out, because someone is at ${held.length === 1 ? 'it' : 'them'}`] : []),
    ...(nextMs === null ? [] : [`the next in ${formatAge(nextMs)}`]),
  ].join(', ')
  log(sentence)
  const bySource = new Map(known.map((each) => [each.source.id, each]))
  const lines = due.map((each) => ({ ...bySource.get(each.id)!, ...describeDue(each) }))
  if (lines.length > 0) core.startGroup('What is due, most stale first')
  for (const { source, why, stale, budget } of lines)
    log(`${source.id}: ${why}${stale && ` (for ${stale})`}, budget ${budget}`)
  if (lines.length > 0) core.endGroup()
  for (const { source, heldBy } of held) log(`${source.id}: left out, ${heldBy}`)
  const rows = [
    ...lines.map((line) => [
      ...sourceCells(line),
      'problem' in line.head ? `${line.why}: ${problemSentence(line.head.problem)}` : line.why,
      line.stale || '–',
      line.budget,
    ]),
    ...held.map((each) => [...sourceCells(each), `left out: ${each.heldBy}`, '–', '–']),
  ]
  const head = ['source', 'ref is at', 'why', 'not looked at, or behind, for', 'budget']
  await writeSummary('Tidemark: plan', { text: `${sentence}.`, tables: [{ head, rows }] })
}

function describeDue({ reason, staleMs, budgetMs }: DueSource) {
  const stale = Number.isFinite(staleMs) ? formatAge(staleMs) : ''
  return { why: reason.replaceAll('_', ' '), stale, budget: prettyMs(budgetMs) }
}

const sourceCells = ({ source: { id, repo }, head }: Known): Cell[] => [
  { text: id, href: repositoryUrl(repo) },
  commitCell(repo, 'commit' in head ? head.commit : null),
]

const formatAge = (ms: number) => prettyMs(ms, { unitCount: 2, secondsDecimalDigits: 0 })
