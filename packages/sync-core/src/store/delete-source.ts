import type { Lease } from '@tidemark/lock'
import type { Database } from '../database/database.ts'
import { fencedQuery } from './fenced-query.ts'

/** Deletes a source with everything that was made of it. @throws {LeaseLostError} when the fence did not hold. */
export async function deleteSource(db: Database, lease: Lease, sourceId: string): Promise<void> {
  await fencedQuery(db, lease, DELETE_SOURCE, [sourceId])
}

const DELETE_SOURCE = /* sql */ `
runs AS (DELETE FROM tidemark.runs USING fence WHERE source_id = $3),
quarantine AS (DELETE FROM tidemark.quarantine USING fence WHERE source_id = $3),
search_chunks AS (DELETE FROM tidemark.search_chunks USING fence WHERE source_id = $3),
search_pages AS (DELETE FROM tidemark.search_pages USING fence WHERE source_id = $3),
links AS (DELETE FROM tidemark.links USING fence WHERE source_id = $3),
chunks AS (DELETE FROM tidemark.chunks USING fence WHERE source_id = $3),
pages AS (DELETE FROM tidemark.pages USING fence WHERE source_id = $3),
source AS (DELETE FROM tidemark.sources USING fence WHERE id = $3)
SELECT FROM fence`
