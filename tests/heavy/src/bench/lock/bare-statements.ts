import { randomUUID } from 'node:crypto'
import { settingsOf } from '../../../../../packages/lock/src/options.ts'
import { statementsFor } from '../../../../../packages/lock/src/statements.ts'
import { type Contender, LEASES, poolOf } from './contender.ts'

/** The floor: the very statements that the package sends, without the package. Its table is there already. */
export async function bareStatements(url: string): Promise<Contender> {
  const db = poolOf(url)
  const sql = statementsFor(settingsOf({}))
  const acquire = async (key: string): Promise<string> => {
    const { rows } = await db.query(sql.acquire, [key, 'bare', 'bare', 0, null, randomUUID(), 90_000])
    return rows[0].taken
  }
  const keys = Array.from({ length: LEASES }, (_, i) => `bare ${i}`)
  const tokens = await Promise.all(keys.map(acquire))
  return {
    name: 'bare statements',
    lacks: 'the floor: no heartbeat, no local deadline, no reason when a lease is lost',
    cycle: async () => void (await db.query(sql.release, ['bare', await acquire('bare')])),
    renew: async () => void (await db.query(sql.renew, [keys, tokens, 90_000])),
    take: null,
  }
}
