import type { Database } from '../database/database.ts'
import { checkSource } from '../store/check-source.ts'
import type { Budget } from './budget.ts'
import { fingerprintOf, languageOf, type Source } from './source.ts'
import type { SyncOptions } from './sync-options.ts'
import type { Tally } from './tally.ts'

/** What every step of a run needs. */
export interface Run {
  readonly db: Database
  readonly source: Source
  readonly options: SyncOptions
  readonly budget: Budget
  readonly tally: Tally
}

/** Whether the target is in already and nothing more is asked for; tells the tally where bookmark and index are. */
export async function nothingNew({ db, source, options, tally }: Run): Promise<boolean> {
  const about = { id: source.id, fingerprint: fingerprintOf(source), language: languageOf(source) }
  const { bookmark, upToDate, searched } = await checkSource(db, about, tally.target!)
  tally.lookedAt = performance.now()
  tally.bookmark = bookmark
  tally.unsearched = searched ? null : 'all'
  if (!upToDate || options.full || options.retryQuarantined) return false
  tally.filesRemaining = 0
  return true
}
