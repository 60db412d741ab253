import { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import { expect, test } from 'vitest'
import { freshDatabase } from '../src/index.ts'

test('a fresh Postgres database is empty and of UTF-8', async () => {
  const database = await freshDatabase('postgres')
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  const { rows } = await client.query('SHOW server_encoding')
  await client.end()
  await database.drop()
  expect(rows).toEqual([{ server_encoding: 'UTF8' }])
})

test('a fresh PGlite folder opens', async () => {
  const database = await freshDatabase('pglite')
  const db = await PGlite.create(database.url)
  const { rows } = await db.query('SELECT 1 AS one')
  await db.close()
  await database.drop()
  expect(rows).toEqual([{ one: 1 }])
})
