import { agesOf } from './held-lock.ts'
import type { LossReason } from './lock-error.ts'
import { type Queryable, run } from './queryable.ts'

/** Why a token no longer holds its key, read from the row; null where it does hold. */
export async function reasonOfLoss(
  db: Queryable,
  inspectSql: string,
  key: string,
  token: bigint,
): Promise<LossReason | null> {
  const [row] = await run(db, inspectSql, [key])
  if (row === undefined) return 'deleted'
  if (BigInt(row.token) === token) return agesOf(row).expiresInMs <= 0 ? 'expired' : null
  if (row.ended === 'broken' || row.ended === 'deleted') return row.ended
  return 'taken'
}
