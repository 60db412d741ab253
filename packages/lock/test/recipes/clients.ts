import { PGlite } from '@electric-sql/pglite'
import { PrismaPg } from '@prisma/adapter-pg'
import type { Engine } from '@tidemark/test-engines'
import { drizzle as openDrizzle } from 'drizzle-orm/node-postgres'
import { pgTable, text } from 'drizzle-orm/pg-core'
import { CamelCasePlugin, Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import postgres from 'postgres'
import type { Lease, Queryable } from '../../src/index.ts'
import * as drizzleRecipe from './drizzle.ts'
import * as kyselyRecipe from './kysely.ts'
import * as pgRecipe from './pg.ts'
import * as pgliteRecipe from './pglite.ts'
import * as postgresJsRecipe from './postgres-js.ts'
import { PrismaClient } from './prisma/generated/client.ts'
import * as prismaRecipe from './prisma.ts'

/** A client with its recipe, bound to one database. */
export interface OpenClient {
  /** What `createLocks` is given. */
  readonly db: Queryable
  /** @param write gets what the client has for a transaction. */
  writeUnderLease(lease: Lease, write: (tx: any) => Promise<void>): Promise<void>
  /** @param tx a transaction; without one the statement is its own. */
  insertUnderLease(lease: Lease, line: string, tx?: unknown): Promise<void>
  close(): Promise<void>
}

export interface Client {
  readonly name: string
  /** The recipe's file. */
  readonly file: string
  readonly engine: Engine
  open(url: string): Promise<OpenClient> | OpenClient
}

interface Recipe<Db> {
  writeUnderLease(db: Db, lease: Lease, write: (tx: any) => Promise<void>): Promise<void>
  insertUnderLease(db: any, lease: Lease, line: string): Promise<void>
}

function bind<Db>(db: Db, queryable: Queryable, recipe: Recipe<Db>, close: () => Promise<void>): OpenClient {
  return {
    db: queryable,
    writeUnderLease: (lease, write) => recipe.writeUnderLease(db, lease, write),
    insertUnderLease: (lease, line, tx = db) => recipe.insertUnderLease(tx, lease, line),
    close,
  }
}

export const clients: readonly Client[] = [
  {
    name: 'pg',
    file: 'pg.ts',
    engine: 'postgres',
    open(url) {
      const pool = new pg.Pool({ connectionString: url })
      return bind(pool, pool, pgRecipe, () => pool.end())
    },
  },
  {
    name: 'PGlite',
    file: 'pglite.ts',
    engine: 'pglite',
    async open(folder) {
      const db = await PGlite.create(folder)
      return bind(db, db, pgliteRecipe, () => db.close())
    },
  },
  {
    name: 'postgres.js',
    file: 'postgres-js.ts',
    engine: 'postgres',
    open(url) {
      const sql = postgres(url, { onnotice: () => {} })
      return bind(sql, postgresJsRecipe.queryable(sql), postgresJsRecipe, () => sql.end())
    },
  },
  {
    name: 'Kysely',
    file: 'kysely.ts',
    engine: 'postgres',
    open(url) {
      const dialect = new PostgresDialect({ pool: new pg.Pool({ connectionString: url }) })
      // Would rename the columns of the answers, and the keys of `info`.
      const db = new Kysely<{ log: { line: string } }>({ dialect, plugins: [new CamelCasePlugin()] })
      return bind(db, kyselyRecipe.queryable(db), kyselyRecipe, () => db.destroy())
    },
  },
  {
    name: 'Drizzle',
    file: 'drizzle.ts',
    engine: 'postgres',
    open(url) {
      const schema = { log: pgTable('log', { line: text() }) }
      const db = openDrizzle(new pg.Pool({ connectionString: url }), { schema })
      return bind(db, db.$client, drizzleRecipe, () => db.$client.end())
    },
  },
  {
    name: 'Prisma',
    file: 'prisma.ts',
    engine: 'postgres',
    open(url) {
      const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) })
      return bind(prisma, prismaRecipe.queryable(prisma), prismaRecipe, () => prisma.$disconnect())
    },
  },
]
