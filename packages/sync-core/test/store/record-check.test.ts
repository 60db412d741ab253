import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { allEngines, freshDatabase } from '@tidemark/test-engines'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import type { TracedStatement } from '../../src/database/open.ts'
import { type Database, migrate, openDatabase, readSource, syncSource } from '../../src/index.ts'
import { recordCheck } from '../../src/store/record-check.ts'
import { sourceRecord } from '../../src/sync/source.ts'
import { emptyRepository } from '../world/test-repository.ts'

const IDS = ['a', 'b', 'c', 'd']

/** Four sources of one repository, all of them up to date. */
async function syncedWorld(engine: (typeof allEngines)[number]) {
  const repository = await emptyRepository()
  const commit = await repository.commit({ 'a.md': '# A' })
  const database = await freshDatabase(engine)
  const db = await openDatabase(database.url)
  await migrate(db)
  const sources = IDS.map((id) => ({ id, repo: repository.folder, ref: 'main' }))
  for (const source of sources) await syncSource(db, source)
  return {
    db,
    url: database.url,
    /** Looks at all of them in one moment. */
    look: (look = commit) => sources.map((source) => recordCheck(db, sourceRecord(source), look)),
    async [Symbol.asyncDispose]() {
      await db.close()
      await database.drop()
      repository.remove()
    },
  }
}

/** How many statements some work takes. */
async function countStatements(work: () => Promise<unknown>): Promise<number> {
  let count = 0
  const counting = (message: unknown) => {
    if ((message as TracedStatement).text.includes('sources')) count++
  }
  subscribe('tidemark:sql', counting)
  await work()
  unsubscribe('tidemark:sql', counting)
  return count
}

const lastStatus = async (db: Database, id: string) => (await readSource(db, id))?.lastStatus

describe.each(allEngines)('on %s, sources that are looked at in one moment', (engine) => {
  test('are looked at by one statement, which records that of each', async () => {
    await using world = await syncedWorld(engine)
    expect(await countStatements(() => Promise.all(world.look()))).toBe(1)
    for (const check of await Promise.all(world.look())) expect(check).toMatchObject({ upToDate: true, indexed: true })
    for (const id of IDS) expect(await lastStatus(world.db, id)).toBe('up_to_date')
    for (const check of await Promise.all(world.look('another'))) expect(check).toMatchObject({ upToDate: false })
  })

  test('are told from one that the database does not know', async () => {
    await using world = await syncedWorld(engine)
    await world.db.query(`DELETE FROM tidemark.sources WHERE id = 'b'`)
    const checks = await Promise.all(world.look())
    expect(checks.map(({ upToDate }) => upToDate)).toEqual([true, false, true, true])
  })
})

describe.each(allEngines.filter((engine) => engine !== 'pglite'))('on %s', (engine) => {
  test('a source that is just being written is waited for by nobody but itself', async () => {
    await using world = await syncedWorld(engine)
    const client = new pg.Client({ connectionString: world.url })
    await client.connect()
    await client.query(`BEGIN; UPDATE tidemark.sources SET dirty = true WHERE id = 'b'`)
    const [a, b, c, d] = world.look()
    for (const check of await Promise.all([a, c, d])) expect(check).toMatchObject({ upToDate: true })
    await client.query('COMMIT')
    expect(await b).toMatchObject({ upToDate: false })
    await client.end()
  })
})
