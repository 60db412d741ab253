/** One sync in a process of its own, for tests that kill and pause it: address, repository, options as JSON. */
import { migrate, openDatabase, syncSource } from '../../src/index.ts'

const [url = '', repo = '', json = '{}'] = process.argv.slice(2)
const { slowBatches = false, locks, ...options } = JSON.parse(json)
const db = await openDatabase(url, locks)
await migrate(db)
let batches = 0
const result = await syncSource(
  db,
  { id: 'docs', repo, ref: 'main' },
  {
    ...options,
    onProgress({ phase, done }: { phase: string; done: number }) {
      if (phase !== 'apply' || done === 0) return
      console.log(`stored ${done}`)
      // Long enough for a test to act between two batches.
      if (slowBatches && ++batches === 2) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
    },
  },
)
console.log(JSON.stringify(result))
await db.close()
