import type { Lease } from '@tidemark/lock'
import type { Database } from '../database/database.ts'

/** A database, and the lease that what is written there goes by. */
export interface Fenced {
  readonly db: Database
  readonly lease: Lease
}

/** Runs a statement that begins with the fence of a lease, as the CTE `fence` and the parameters $1 and $2. */
export async function queryWithFence<Row = any>({ db, lease }: Fenced, ctes: string, params: readonly unknown[]) {
  const fence = lease.fenceSql(1)
  const text = `WITH fence AS MATERIALIZED (SELECT held.*, ${DURABLY} FROM (${fence.text}) AS held),\n${ctes}`
  return (await db.query<Row>(text, [...fence.params, ...params])).rows
}

/** A run goes on after a crash of the server, so what it was told to be in must not be forgotten by that. */
const DURABLY = `CASE WHEN current_setting('synchronous_commit') = 'off' THEN set_config('synchronous_commit', 'on', true) END`

/**
 * The same, all or nothing. Survives a take-over at any moment: the fence locks the lease's row FOR KEY SHARE, so a
 * take-over waits for the commit, or came first, and every part that selects from `fence` finds it empty. `ctes` must
 * return a row where the fence holds and none where not; else LeaseLostError.
 */
export async function fencedQuery<Row = any>(fenced: Fenced, ctes: string, params: readonly unknown[]) {
  const rows = await queryWithFence<Row>(fenced, ctes, params)
  if (rows.length === 0) throw await lostLease(fenced.lease)
  return rows as [Row, ...Row[]]
}

/** The error of a lease whose fence did not hold; asks the database, because no heartbeat may have noticed yet. */
async function lostLease(lease: Lease): Promise<unknown> {
  try {
    await lease.refresh()
  } catch (error) {
    return error
  }
  return lease.signal.aborted ? lease.signal.reason : new Error(`the fence of ${lease.key} did not hold`)
}
