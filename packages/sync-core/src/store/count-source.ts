import type { Database } from '../database/database.ts'
import type { Count } from '../run/outcome.ts'
import { readRows } from './read-rows.ts'

/** How much the database holds of a source. */
export type SourceSize = Readonly<Record<'pages' | 'chunks' | 'links' | 'quarantined' | 'runs', Count>>

/** Counts what `removeSource` would remove; reads only. */
export async function countSource(db: Database, sourceId: string): Promise<SourceSize> {
  const [size] = await readRows<SourceSize>(db, COUNT_SOURCE, [sourceId])
  return size ?? { pages: 0, chunks: 0, links: 0, quarantined: 0, runs: 0 }
}

const count = (table: string) => `(SELECT count(*)::integer FROM tidemark.${table} WHERE source_id = $1)`

const COUNT_SOURCE = /* sql */ `
SELECT ${count('pages')} AS pages, ${count('chunks')} AS chunks, ${count('links')} AS links,
  ${count('quarantine')} AS quarantined, ${count('runs')} AS runs`

/** How many files of its commit the database knows, pages or not; about, where the last run was not the last word. */
export async function countFiles(db: Database, sourceId: string): Promise<number> {
  return (await db.query<{ count: number }>(COUNT_FILES, [sourceId])).rows[0]!.count
}

const COUNT_FILES = /* sql */ `
SELECT ${count('pages')} + ${count('quarantine')} + ${count('files')} AS count`
