/** Fills the disk that has an embedded database until a statement fails, looks what others say then, and makes room. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { openDatabase } from '../../src/index.ts'

const disk = process.argv[2]!
const folder = join(disk, 'db')
const say = (outcome: object) => console.log(JSON.stringify(outcome))
const tryTo = async (work: () => Promise<unknown>) => {
  const error = await work().then(
    () => null,
    (error) => error,
  )
  say({ code: error?.code, message: error?.message })
}

const db = await openDatabase(folder)
await db.query('CREATE TABLE filling (i integer, filler text)')
let rows = 0
await tryTo(async () => {
  for (; ; rows += 20_000)
    await db.query('INSERT INTO filling SELECT i, md5(i::text) FROM generate_series(1, 20000) AS i')
})
await tryTo(() => db.query('INSERT INTO filling SELECT i, md5(i::text) FROM generate_series(1, 20000) AS i'))
await db.close().catch(() => {})
await tryTo(async () => (await openDatabase(folder)).close())
execFileSync('mount', ['-o', 'remount,size=300m', disk])
const again = await openDatabase(folder)
say({ kept: Number((await again.query('SELECT count(*) FROM filling')).rows[0].count) === rows })
await again.close()
