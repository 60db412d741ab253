import { PGlite } from '@electric-sql/pglite'
import { engines, freshDatabase, hasSystemPostgres, isChosen } from '@tidemark/test-engines'
import pg from 'pg'
import { afterAll } from 'vitest'
import { createLocks, type Locks, type LocksOptions, type Queryable } from '../../src/index.ts'
import { pgbouncerIsThere, startPgbouncer } from './pgbouncer.ts'

/**
 * How the tests reach a database: our server, the system's, which may be years older, or that of `TEST_POSTGRES_URL`
 * directly; our server through a bouncer in transaction pooling; or in this process.
 */
export type Route = 'postgres' | 'system-postgres' | 'service-postgres' | 'pgbouncer' | 'pglite'

/** Asked only of what is chosen: where CI requires it, its absence is an error. */
const available: Record<Route, () => boolean> = {
  postgres: () => true,
  'system-postgres': hasSystemPostgres,
  'service-postgres': () => engines.includes('service-postgres'),
  pgbouncer: pgbouncerIsThere,
  pglite: () => true,
}
export const routes = (Object.keys(available) as Route[]).filter((route) => isChosen(route) && available[route]())
/** The routes to a server, with connections that can be had and lost. */
export const serverRoutes = routes.filter((route) => route !== 'pglite')

/** A migrated table of its own, and any number of clients of it. */
export interface LockWorld extends AsyncDisposable {
  readonly db: Queryable
  /** Address of the database; a folder for PGlite. */
  readonly url: string
  readonly table: string
  readonly locks: Locks
  /** Runs work in a transaction of a connection of its own; null where there is one connection only. */
  readonly transaction: ((work: (tx: Queryable) => Promise<void>) => Promise<void>) | null
  /** Another process's locks, as far as the database can tell. */
  another(options?: LocksOptions, db?: Queryable): Locks
  /** The row of a key. */
  row(key: string): Promise<any>
  /** Lets a lease's time run out in the database, as if its holder had been silent for long. */
  expire(key: string): Promise<void>
}

interface Opened {
  readonly db: Queryable
  readonly url: string
  close(): Promise<void>
}

// One database a route and test file; a test has its own table in it.
const opened = new Map<Route, Promise<Opened>>()

afterAll(async () => {
  for (const opening of opened.values()) await (await opening).close()
})

async function open(route: Route): Promise<Opened> {
  if (route === 'pglite') {
    const database = await freshDatabase('pglite')
    const db = await PGlite.create(database.url)
    return { db, url: database.url, close: () => db.close().then(database.drop) }
  }
  const database = await freshDatabase(route === 'pgbouncer' ? 'postgres' : route)
  const bouncer = route === 'pgbouncer' ? await startPgbouncer(database.url) : null
  const url = bouncer?.url ?? database.url
  const pool = new pg.Pool({ connectionString: url, max: 20 })
  pool.on('error', () => {})
  const close = async () => {
    await pool.end()
    await bouncer?.stop()
    await database.drop()
  }
  return { db: pool, url, close }
}

/** The database of a route that the tests of a file share. */
export function sharedDatabase(route: Route): Promise<Opened> {
  const opening = opened.get(route) ?? open(route)
  opened.set(route, opening)
  return opening
}

async function inTransaction(pool: pg.Pool, work: (tx: Queryable) => Promise<void>): Promise<void> {
  const tx = await pool.connect()
  try {
    await tx.query('BEGIN')
    await work(tx)
    await tx.query('COMMIT')
  } catch (error) {
    await tx.query('ROLLBACK')
    throw error
  } finally {
    tx.release()
  }
}

let tables = 0

export async function lockWorld(route: Route, options: LocksOptions = {}): Promise<LockWorld> {
  const { db, url } = await sharedDatabase(route)
  const table = `locks_${++tables}`
  const all: Locks[] = []
  const another = (more: LocksOptions = {}, over: Queryable = db) => {
    const locks = createLocks(over, { table, ...options, ...more })
    all.push(locks)
    return locks
  }
  const locks = another()
  await locks.migrate()
  return {
    db,
    url,
    table,
    locks,
    transaction: db instanceof pg.Pool ? (work) => inTransaction(db, work) : null,
    another,
    async row(key) {
      const { rows } = await db.query(`SELECT * FROM ${table} WHERE key = $1`, [key])
      return rows[0]
    },
    async expire(key) {
      await db.query(
        `UPDATE ${table} SET last_refreshed_at = last_refreshed_at - interval '1 hour', expires_at = clock_timestamp() - interval '1 second'
         WHERE key = $1`,
        [key],
      )
    },
    async [Symbol.asyncDispose]() {
      await Promise.allSettled(all.map((each) => each.close()))
      await db.query(`DROP TABLE IF EXISTS ${table}`)
    },
  }
}

/** Whether a statement is a heartbeat. */
export const isRenewal = (text: string) => /SET last_refreshed_at = locked/.test(text)
