import { type Database, readStatus, type SourceStatus } from '@tidemark/sync-core'

/**
 * Sources in turn: who was looked at longest ago comes first, and who never was before all. A wave that is cut short,
 * however early, then leaves out others than the last one did. By the database's clock; one statement.
 */
export async function inTurn<Source extends { readonly id: string }>(
  db: Database,
  sources: readonly Source[],
): Promise<Source[]> {
  const ids = sources.map(({ id }) => id)
  const turns = new Map((await readStatus(db, ids)).map((standing) => [standing.id, lastLookedAt(standing)]))
  return sources.toSorted((a, b) => turns.get(a.id)! - turns.get(b.id)!)
}

/** A run that found nothing new is not recorded, one that was stopped has checked nothing. */
const lastLookedAt = ({ lastCheckedAt, lastRun }: SourceStatus) =>
  Math.max(lastCheckedAt?.getTime() ?? 0, lastRun ? Date.parse(lastRun.startedAt) : 0)
