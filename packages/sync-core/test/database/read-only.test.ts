import { engines, freshDatabase } from '@tidemark/test-engines'
import { expect, test } from 'vitest'
import { migrate, openDatabase } from '../../src/index.ts'

test.each(engines)('a read-only connection to %s reads, and is refused whatever would write', async (engine) => {
  const fresh = await freshDatabase(engine)
  const owner = await openDatabase(fresh.url)
  await migrate(owner)
  await owner.close()
  const db = await openDatabase(fresh.url, { readOnly: true })
  for (const write of [
    `INSERT INTO tidemark.sources (id) VALUES ('x')`,
    'DELETE FROM tidemark.pages',
    'CREATE TABLE tidemark.more (a int)',
  ]) {
    await expect(db.query(write)).rejects.toMatchObject({ code: '25006' })
  }
  expect((await db.query('SELECT count(*)::int AS n FROM tidemark.pages')).rows).toEqual([{ n: 0 }])
  await db.close()
  await fresh.drop()
})

test.each(engines)('a read-only connection to %s is not left by a COMMIT in a statement', async (engine) => {
  const fresh = await freshDatabase(engine)
  const db = await openDatabase(fresh.url, { readOnly: true })
  await expect(db.query('COMMIT; CREATE TABLE left_behind (a int)')).rejects.toThrow(/multiple commands/)
  expect((await db.query(`SELECT to_regclass('left_behind') AS made`)).rows).toEqual([{ made: null }])
  await db.close()
  await fresh.drop()
})
