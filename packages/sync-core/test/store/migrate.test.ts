import { allEngines, freshDatabase } from '@tidemark/test-engines'
import { describe, expect, test } from 'vitest'
import { migrate, openDatabase } from '../../src/index.ts'
import { pendingMigrations } from '../../src/store/migrate.ts'

describe.each(allEngines)('on %s, migrate', (engine) => {
  test('makes the tables of an empty database once, whoever else is at it, and leaves nothing to do', async () => {
    const database = await freshDatabase(engine)
    const db = await openDatabase(database.url)
    expect(await pendingMigrations(db)).not.toEqual([])
    await Promise.all([migrate(db), migrate(db), migrate(db)])
    const versions = async () => (await db.query('SELECT version FROM tidemark.migrations ORDER BY version')).rows
    const made = await versions()
    expect(made.length).toBeGreaterThan(0)
    await migrate(db)
    expect(await versions()).toEqual(made)
    expect(await pendingMigrations(db)).toEqual([])
    await db.close()
    await database.drop()
  })
})
