import * as core from '@actions/core'
import { readStatus } from '@tidemark/sync-core'
import { UsageError } from 'tidemark/config'
import { chosenSources } from '../chosen-sources.ts'
import { withMigratedDatabase } from '../database.ts'
import { readHeads } from '../heads.ts'
import { choiceInput, countInput, durationInput, namesInput } from '../inputs.ts'
import { dueSources } from '../plan/due-sources.ts'
import { matrixEntries } from '../plan/matrix-entries.ts'
import { readUsualDurations } from '../plan/read-usual-durations.ts'
import { tellPlan } from '../plan/tell-plan.ts'

/** A budget below this would be spent before a slow server has answered. */
const LEAST_BUDGET_MS = 120_000

/** Sets the outputs `matrix` and `any`: the sources that are due, most stale first, each in a job of its own. */
export async function plan(): Promise<void> {
  const concurrency = countInput('concurrency')
  const embeds = choiceInput('embed', ['true', 'false']) === 'true'
  const mostMs = durationInput('timeout')
  if (mostMs === undefined) throw new UsageError('the input timeout is empty', 'Give a duration such as 45m.')
  const chosen = chosenSources()
  const ids = chosen.sources.map(({ id }) => id)
  const [{ standings, usual }, heads] = await Promise.all([
    withMigratedDatabase(chosen, async (db) => ({
      standings: await readStatus(db, ids),
      usual: await readUsualDurations(db, ids),
    })),
    readHeads(chosen.sources),
  ])
  warnOf(heads.flatMap((head, i) => ('problem' in head ? [{ id: ids[i]!, ...head }] : [])))
  // Whoever names a source wants it synced now.
  const named = namesInput().length > 0
  const candidates = chosen.sources.map((source, i) => ({
    source: named ? { ...source, everyMs: 0 } : source,
    standing: standings[i]!,
    head: heads[i]!,
    usualMs: usual.get(source.id) ?? null,
  }))
  const due = dueSources(candidates, { leastMs: Math.min(LEAST_BUDGET_MS, mostMs), mostMs })
  const entries = matrixEntries(due, { concurrency, embeds })
  tellPlan(ids.length, due, entries)
  const matrix = JSON.stringify({ include: entries })
  if (chosen.secrets.some((secret) => matrix.includes(secret))) {
    throw new UsageError(
      'a password, token or key that you use also stands in the matrix, as the name of a source or part of it',
      'GitHub passes on no output that holds a secret: change the password, or the name.',
    )
  }
  core.setOutput('matrix', matrix)
  core.setOutput('any', entries.length > 0)
}

/** GitHub shows ten warnings of a step. */
const MOST_WARNINGS = 10

function warnOf(silent: readonly { id: string; problem: string }[]): void {
  const told = silent.length > MOST_WARNINGS ? silent.slice(0, MOST_WARNINGS - 1) : silent
  for (const { id, problem } of told) {
    core.warning(`${problem}. It is planned nevertheless; its own job will tell more.`, {
      title: `tidemark: ${id} did not answer`,
    })
  }
  if (told.length === silent.length) return
  const others = silent.slice(told.length).map(({ id }) => id)
  core.warning(`${others.join(', ')}. They are planned nevertheless.`, {
    title: `tidemark: ${others.length} more did not answer`,
  })
}
