import { freshDatabase } from '@tidemark/test-engines'
import { expect, test } from 'vitest'
import { openDatabase } from '../../src/index.ts'
import { createIndex } from '../../src/store/embeddings/vector-index.ts'

test('jobs that complete a set at the same time all find its index made, and none fails', async () => {
  const database = await freshDatabase('postgres')
  const jobs = await Promise.all([1, 2, 3].map(() => openDatabase(database.url)))
  const [db] = jobs
  await db!.query('CREATE TABLE texts AS SELECT md5(n::text) AS text FROM generate_series(1, 50000) AS n')

  const index = { name: 'texts_by_text', table: 'texts', definition: `(text) WHERE text <> '$'`, memory: '100MB' }
  await Promise.all(jobs.map((job) => createIndex(job, index)))

  const { rows } = await db!.query(`SELECT indexname FROM pg_indexes WHERE tablename = 'texts'`)
  expect(rows).toEqual([{ indexname: 'texts_by_text' }])
  for (const job of jobs) await job.close()
  await database.drop()
})
