import * as core from '@actions/core'
import { type Problem, readStatus } from '@tidemark/sync-core'
import prettyMs from 'pretty-ms'
import { UsageError } from 'tidemark/config'
import { readRemoteHeads } from 'tidemark/runtime'
import { type DueSource, dueSources } from '../plan/due-sources.ts'
import { type MatrixEntry, matrixEntries } from '../plan/matrix-entries.ts'
import { readP95Durations } from '../plan/p95-durations.ts'
import { annotate, problemSentence } from '../runner/annotations.ts'
import { withMigratedDatabase } from '../runner/database.ts'
import { choiceInput, countInput, durationInput, namesInput } from '../runner/inputs.ts'
import { log } from '../runner/log.ts'
import { readStepContext } from '../runner/step-context.ts'

/** A budget below this would be spent before a slow server has answered. */
const MIN_BUDGET_MS = 120_000

/** Sets the outputs `matrix` and `any`: the sources that are due, most stale first, each in a job of its own. */
export async function plan(): Promise<void> {
  const concurrency = countInput('concurrency')
  const embeds = choiceInput('embed', ['true', 'false']) === 'true'
  const maxMs = durationInput('timeout')
  if (maxMs === undefined) throw new UsageError('the input timeout is empty', 'Give a duration such as 45m.')
  const step = readStepContext()
  const ids = step.sources.map(({ id }) => id)
  const [{ statuses, p95 }, heads] = await Promise.all([
    withMigratedDatabase(step, async (db) => ({
      statuses: await readStatus(db, ids),
      p95: await readP95Durations(db, ids),
    })),
    readRemoteHeads(step.sources),
  ])
  warnOfUnreachable(heads.flatMap((head, i) => ('problem' in head ? [{ id: ids[i]!, ...head }] : [])))
  // A source that is named is to be synced now.
  const named = namesInput().length > 0
  const candidates = step.sources.map((source, i) => ({
    source: named ? { ...source, everyMs: 0 } : source,
    status: statuses[i]!,
    head: heads[i]!,
    p95Ms: p95.get(source.id) ?? null,
  }))
  const due = dueSources(candidates, { minMs: Math.min(MIN_BUDGET_MS, maxMs), maxMs })
  const entries = matrixEntries(due, { concurrency, embeds })
  logPlan(ids.length, due, entries)
  const matrix = JSON.stringify({ include: entries })
  if (step.secrets.some((secret) => matrix.includes(secret))) {
    throw new UsageError(
      'a password, token or key that you use also stands in the matrix, as the name of a source or part of it',
      'GitHub passes on no output that holds a secret: change the password, or the name.',
    )
  }
  core.setOutput('matrix', matrix)
  core.setOutput('any', entries.length > 0)
}

/** GitHub shows ten warnings of a step. */
const MAX_WARNINGS = 10

function warnOfUnreachable(unreachable: readonly { id: string; problem: Problem }[]): void {
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

/** Writes to the log what is due and why. */
function logPlan(known: number, due: readonly DueSource[], entries: readonly MatrixEntry[]): void {
  log(`${due.length} of ${known} sources are due, in ${entries.length} jobs`)
  if (due.length === 0) return
  core.startGroup('What is due, most stale first')
  for (const { id, reason, staleMs, budgetMs } of due) {
    const stale = Number.isFinite(staleMs) ? ` (for ${prettyMs(staleMs, { compact: true })})` : ''
    log(`${id}: ${reason.replace('_', ' ')}${stale}, budget ${prettyMs(budgetMs)}`)
  }
  core.endGroup()
}
