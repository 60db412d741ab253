/**
 * One run of LangChain's `index()` over the pages of a repository, in a process of its own.
 *
 * Arguments: address of the database, repository.
 */
import { PostgresRecordManager } from '@langchain/community/indexes/postgres'
import { index } from '@langchain/core/indexing'
import type { VectorStore } from '@langchain/core/vectorstores'
import { peakMbWithChildren } from '../../harness/memory.ts'
import { readPageFiles } from '../sync-internals.ts'

const [url = '', repo = ''] = process.argv.slice(2)
// As its users have them: in memory, before the clock starts.
const documents = []
for await (const { path, content } of readPageFiles(repo)) {
  documents.push({ pageContent: content.toString(), metadata: { source: path } })
}
// The two methods that `index` calls.
const emptyStore: Partial<VectorStore> = { addDocuments: async () => [], delete: async () => {} }
const recordManager = new PostgresRecordManager('bench', { postgresConnectionOptions: { connectionString: url } })
await recordManager.createSchema()
const startedAt = performance.now()
const { numAdded, numUpdated } = await index({
  docsSource: documents,
  recordManager,
  vectorStore: emptyStore as VectorStore,
  // What makes it a mirror: documents that are gone are deleted.
  options: { cleanup: 'full', sourceIdKey: 'source' },
})
const ms = performance.now() - startedAt
await recordManager.end()
console.log(JSON.stringify({ ms, pages: numAdded + numUpdated, peakMb: peakMbWithChildren() }))
