/** One measurement in a process of its own, so that its memory is its own: what, database, repository. */
import { setFlagsFromString } from 'node:v8'
import { migrate, openDatabase, syncSource } from '../src/index.ts'
import { floor } from './floor.ts'

// As the command has it, for the floor too.
setFlagsFromString('--optimize-for-size')

const [what, url = '', repo = '', budgetMs] = process.argv.slice(2)
const db = await openDatabase(url)
await migrate(db)
const source = { id: 'bench', repo, ref: 'main' }
const started = performance.now()
let pages = 0
let status = 'floor'
if (what === 'floor') pages = await floor(db, repo)
else {
  const result = await syncSource(db, source, {
    full: what === 'full',
    budgetMs: budgetMs ? Number(budgetMs) : undefined,
  })
  pages = result.filesImported + result.filesUpdated + result.filesRenamed
  status = result.status
  if (result.status === 'failed') throw new Error(result.error.message)
}
const ms = performance.now() - started
console.log(JSON.stringify({ ms, pages, status, megabytes: process.resourceUsage().maxRSS / 1024 }))
await db.close()
