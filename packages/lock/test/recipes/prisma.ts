import type { Lease, Queryable } from '../../src/index.ts'
import { Prisma, type PrismaClient } from './prisma/generated/client.ts'

/** For `createLocks(queryable(prisma))`, and for `lease.fence(queryable(tx))`. */
export function queryable(db: Prisma.TransactionClient): Queryable {
  return { query: async (text, params = []) => ({ rows: await db.$queryRawUnsafe(text, ...params) }) }
}

/** A transaction that commits nothing once the lease is lost. */
export function writeUnderLease<T>(
  prisma: PrismaClient,
  lease: Lease,
  write: (tx: Prisma.TransactionClient) => Promise<T>,
) {
  return prisma.$transaction(async (tx) => {
    await lease.fence(queryable(tx))
    return write(tx)
  })
}

/** One statement that writes nothing once the lease is lost. */
export async function insertUnderLease(db: Prisma.TransactionClient, lease: Lease, line: string) {
  const rows = await db.$queryRaw<unknown[]>`WITH fence AS MATERIALIZED (${lease.fenceTag(Prisma.sql)})
    INSERT INTO log (line) SELECT ${line} FROM fence RETURNING 1`
  if (rows.length === 0) throw new Error('the lease is lost')
}
