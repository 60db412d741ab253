/**
 * One run of LangChain's `index()` over the pages of a repository, in a process of its own.
 *
 * Arguments: address of the database, repository.
 */
import { PostgresRecordManager } from '@langchain/community/indexes/postgres'
import { index } from '@langchain/core/indexing'
import type { VectorStore } from '@langchain/core/vectorstores'
import { pagesOf } from '../pages-of.ts'

export interface Indexed {
  readonly ms: number
  readonly pages: number
  readonly peakMb: number
}

const [url = '', repo = ''] = process.argv.slice(2)
// As its users have them: in memory, before the clock starts.
const documents = []
for await (const { path, content } of pagesOf(repo)) {
  documents.push({ pageContent: content.toString(), metadata: { source: path } })
}
const keepsNothing = { addDocuments: async () => [], delete: async () => {} }
const recordManager = new PostgresRecordManager('bench', {
  postgresConnectionOptions: { connectionString: url },
})
await recordManager.createSchema()
const started = performance.now()
const { numAdded, numUpdated } = await index({
  docsSource: documents,
  recordManager,
  // The two methods that `index` calls.
  vectorStore: keepsNothing as Partial<VectorStore> as VectorStore,
  // What makes it a mirror: documents that are gone are deleted.
  options: { cleanup: 'full', sourceIdKey: 'source' },
})
const ms = performance.now() - started
await recordManager.end()
const peakMb = process.resourceUsage().maxRSS / 1024
console.log(JSON.stringify({ ms, pages: numAdded + numUpdated, peakMb }))
