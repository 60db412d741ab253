import * as core from '@actions/core'
import prettyMs from 'pretty-ms'
import type { DueSource } from './due-sources.ts'
import type { MatrixEntry } from './matrix-entries.ts'

/** Writes to the log what is due and why. */
export function tellPlan(known: number, due: readonly DueSource[], entries: readonly MatrixEntry[]): void {
  core.info(`${due.length} of ${known} sources are due, in ${entries.length} jobs`)
  if (due.length === 0) return
  core.startGroup('What is due, most stale first')
  for (const { id, why, staleMs, budgetMs } of due) {
    const stale = Number.isFinite(staleMs) ? ` (for ${prettyMs(staleMs, { compact: true })})` : ''
    core.info(`${id}: ${why.replace('_', ' ')}${stale}, budget ${prettyMs(budgetMs)}`)
  }
  core.endGroup()
}
