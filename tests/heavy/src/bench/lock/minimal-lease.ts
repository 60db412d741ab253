import { randomUUID } from 'node:crypto'
import { type Contender, createPool } from './contender.ts'

/** The baseline: a lease of two statements, as anyone would write it. */
export async function minimalLease(url: string): Promise<Contender> {
  const db = createPool(url)
  const owner = randomUUID()
  await db.query(
    'CREATE TABLE minimal_lease (key text PRIMARY KEY, owner text NOT NULL, expires_at timestamptz NOT NULL)',
  )
  return {
    name: 'minimal lease',
    caveats: 'two statements: no token, no heartbeat, nothing tells who holds it or that it is lost',
    table: 'minimal_lease',
    async take(key) {
      const { rowCount } = await db.query(
        `INSERT INTO minimal_lease (key, owner, expires_at) VALUES ($1, $2, now() + interval '90 s')
         ON CONFLICT (key) DO UPDATE SET owner = excluded.owner, expires_at = excluded.expires_at
         WHERE minimal_lease.expires_at < now()
         RETURNING key`,
        [key, owner],
      )
      return rowCount === 1
        ? () => db.query('DELETE FROM minimal_lease WHERE key = $1 AND owner = $2', [key, owner])
        : null
    },
    wait: null,
    renew: null,
  }
}
