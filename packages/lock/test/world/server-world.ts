import { freshDatabase } from '@tidemark/test-engines'
import { type SilentProxy, startSilentProxy } from '@tidemark/test-engines/silent-proxy'
import pg from 'pg'
import { createLocks, type Locks, type LocksOptions, type Queryable } from '../../src/index.ts'

/** Short enough for a test, long enough for a slow machine. */
export const QUICK = { ttlMs: 2_000, heartbeatMs: 400, marginMs: 200 }

/** A migrated database of its own on a real server, and pools that reach it, also through a connection that can stall. */
export interface ServerWorld extends AsyncDisposable {
  readonly url: string
  readonly proxy: SilentProxy
  /** Straight to the server. */
  readonly admin: pg.Pool
  pool(options?: { max?: number; through?: 'proxy' }): pg.Pool
  locks(db: Queryable, options?: LocksOptions): Locks
}

/** @param settings of the database, as `ALTER DATABASE … SET` has them. */
export async function serverWorld(settings: readonly string[] = []): Promise<ServerWorld> {
  const database = await freshDatabase('postgres')
  const proxy = await startSilentProxy(database.url)
  const pools: pg.Pool[] = []
  const opened: Locks[] = []
  const pool = ({ max = 10, through }: { max?: number; through?: 'proxy' } = {}) => {
    const made = new pg.Pool({ connectionString: through ? proxy.url : database.url, max })
    made.on('error', () => {})
    pools.push(made)
    return made
  }
  const setup = new pg.Client({ connectionString: database.url })
  await setup.connect()
  for (const setting of settings)
    await setup.query(`ALTER DATABASE ${new URL(database.url).pathname.slice(1)} SET ${setting}`)
  await setup.end()
  const admin = pool()
  await createLocks(admin).migrate()
  return {
    url: database.url,
    proxy,
    admin,
    pool,
    locks(db, options = {}) {
      const locks = createLocks(db, { ...QUICK, ...options })
      opened.push(locks)
      return locks
    },
    async [Symbol.asyncDispose]() {
      await Promise.allSettled(opened.map((locks) => locks.close()))
      await proxy[Symbol.asyncDispose]()
      await Promise.all(pools.map((each) => each.end()))
      await database.drop()
    },
  }
}

/** How many sessions wait for a row, or for whoever has it. */
export async function waitingFor(db: pg.Pool): Promise<number> {
  const waiting = `SELECT count(*)::integer AS n FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'`
  return (await db.query(waiting)).rows[0].n
}
