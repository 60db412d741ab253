/** Embeds the source `docs` in a process of its own. Arguments: database, address of the server, batch size. */
import { embedSource, openDatabase } from '../../src/index.ts'

const [database = '', url = '', batchSize = ''] = process.argv.slice(2)
const db = await openDatabase(database, { ttlMs: 1_500, heartbeatMs: 300, marginMs: 300 })
const embedding = { url, model: 'm', batchSize: Number(batchSize), concurrency: 1 }
const result = await embedSource(db, 'docs', embedding, { waitMs: 20_000 })
await db.close()
console.log(JSON.stringify(result))
