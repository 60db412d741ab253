import { PGlite } from '@electric-sql/pglite'
import { PrismaPg } from '@prisma/adapter-pg'
import type { Engine } from '@tidemark/test-engines'
import { drizzle as openDrizzle } from 'drizzle-orm/node-postgres'
import { pgTable, text } from 'drizzle-orm/pg-core'
import { CamelCasePlugin, Kysely, PostgresDialect } from 'kysely'
import postgres from 'postgres'
import type { Lease, Listener, Queryable } from '../../src/index.ts'
import * as drizzleRecipe from './drizzle.ts'
import * as kyselyRecipe from './kysely.ts'
import * as pgRecipe from './pg.ts'
import * as pgliteRecipe from './pglite.ts'
import * as postgresJsRecipe from './postgres-js.ts'
import { PrismaClient } from './prisma/generated/client.ts'
import * as prismaRecipe from './prisma.ts'

interface Client {
  readonly name: string
  /** The file of the recipe. */
  readonly recipe: string
  readonly engine: Engine
  /** Whether it can itself be the `listen` of `createLocks`; beside the others a `pg.Client` is. */
  readonly listens: boolean
  /** Whether a connection that is cut fails its statements and nothing else. */
  readonly survivesCuts: boolean
  open(url: string): Promise<OpenClient> | OpenClient
}

/** A client that is connected to a database, and its recipe. */
export interface OpenClient {
  readonly connection: unknown
  /** For `createLocks`. */
  readonly queryable: Queryable
  readonly listener?: Listener
  readonly recipe: Recipe
  close(): Promise<void>
}

/** What each recipe exports, in the types of its client. */
interface Recipe {
  writeUnderLease(connection: any, lease: Lease, write: (tx: any) => Promise<void>): Promise<void>
  insertUnderLease(connectionOrTx: any, lease: Lease, line: string): Promise<void>
}

export const clients: readonly Client[] = [
  {
    name: 'pg',
    recipe: 'pg.ts',
    engine: 'postgres',
    listens: false,
    survivesCuts: true,
    open(url) {
      const pool = pgRecipe.openPool(url)
      return { connection: pool, queryable: pool, recipe: pgRecipe, close: () => pool.end() }
    },
  },
  {
    name: 'PGlite',
    recipe: 'pglite.ts',
    engine: 'pglite',
    listens: true,
    // It has no connection.
    survivesCuts: false,
    async open(folder) {
      const db = await PGlite.create(folder)
      return { connection: db, queryable: db, listener: db, recipe: pgliteRecipe, close: () => db.close() }
    },
  },
  {
    name: 'postgres.js',
    recipe: 'postgres-js.ts',
    engine: 'postgres',
    listens: true,
    // It writes to the closed socket out of a timer, which ends the process: github.com/porsager/postgres/issues/1208
    survivesCuts: false,
    open(url) {
      const sql = postgres(url)
      const queryable = postgresJsRecipe.queryable(sql)
      return { connection: sql, queryable, listener: sql, recipe: postgresJsRecipe, close: () => sql.end() }
    },
  },
  {
    name: 'Kysely',
    recipe: 'kysely.ts',
    engine: 'postgres',
    listens: false,
    survivesCuts: true,
    open(url) {
      const dialect = new PostgresDialect({ pool: pgRecipe.openPool(url) })
      // The plugin would rename the columns of what the locks read, and the keys of `info`.
      const db = new Kysely<{ log: { line: string } }>({ dialect, plugins: [new CamelCasePlugin()] })
      const queryable = kyselyRecipe.queryable(db)
      return { connection: db, queryable, recipe: kyselyRecipe, close: () => db.destroy() }
    },
  },
  {
    name: 'Drizzle',
    recipe: 'drizzle.ts',
    engine: 'postgres',
    listens: false,
    survivesCuts: true,
    open(url) {
      const schema = { log: pgTable('log', { line: text() }) }
      const db = openDrizzle(pgRecipe.openPool(url), { schema })
      return { connection: db, queryable: db.$client, recipe: drizzleRecipe, close: () => db.$client.end() }
    },
  },
  {
    name: 'Prisma',
    recipe: 'prisma.ts',
    engine: 'postgres',
    listens: false,
    survivesCuts: true,
    open(url) {
      const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) })
      const queryable = prismaRecipe.queryable(prisma)
      return { connection: prisma, queryable, recipe: prismaRecipe, close: () => prisma.$disconnect() }
    },
  },
]
