import { PGlite } from '@electric-sql/pglite'
import { type Engine, type FreshDatabase, freshDatabase } from '@tidemark/test-engines'
import pg from 'pg'
import { afterAll } from 'vitest'
import { createLocks, type Locks, type LocksOptions, type Queryable } from '../../src/index.ts'

/** A migrated table of its own, and any number of clients of it. */
export interface LockWorld extends AsyncDisposable {
  readonly db: Queryable
  readonly table: string
  readonly locks: Locks
  /** Another process's locks, as far as the database can tell. */
  another(options?: LocksOptions, db?: Queryable): Locks
  /** The row of a key. */
  row(key: string): Promise<any>
}

// One database an engine and test file; a test has its own table in it.
const opened = new Map<
  Engine,
  Promise<{ db: Queryable & { end(): Promise<void> }; database: FreshDatabase }>
>()

afterAll(async () => {
  for (const opening of opened.values()) {
    const { db, database } = await opening
    await db.end()
    await database.drop()
  }
})

async function open(engine: Engine) {
  const database = await freshDatabase(engine)
  if (engine === 'postgres') {
    const pool = new pg.Pool({ connectionString: database.url, max: 20 })
    pool.on('error', () => {})
    return { db: pool, database }
  }
  const db = await PGlite.create(database.url)
  return { db: Object.assign(db, { end: () => db.close() }), database }
}

/** The database of the engine that the tests of a file share. */
export async function sharedDatabase(engine: Engine) {
  if (!opened.has(engine)) opened.set(engine, open(engine))
  return opened.get(engine)!
}

let tables = 0

export async function lockWorld(engine: Engine, options: LocksOptions = {}): Promise<LockWorld> {
  const { db } = await sharedDatabase(engine)
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
    table,
    locks,
    another,
    async row(key) {
      const { rows } = await db.query(`SELECT * FROM ${table} WHERE key = $1`, [key])
      return rows[0]
    },
    async [Symbol.asyncDispose]() {
      await Promise.allSettled(all.map((each) => each.close()))
      await db.query(`DROP TABLE IF EXISTS ${table}`)
    },
  }
}
