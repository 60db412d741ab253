import { DERIVED_TABLES } from './delete-orphans.ts'
import { type Fenced, fencedQuery } from './fenced-query.ts'

/** Deletes a source with everything that was made of it. @throws {LeaseLostError} */
export async function deleteSource(fenced: Fenced, sourceId: string): Promise<void> {
  await fencedQuery(fenced, DELETE_SOURCE, [sourceId])
}

const DELETE_SOURCE = /* sql */ `
${['runs', 'quarantine', 'pages', 'files', ...DERIVED_TABLES]
  .map((table) => `${table} AS (DELETE FROM tidemark.${table} USING fence WHERE source_id = $3),`)
  .join('\n')}
source AS (DELETE FROM tidemark.sources USING fence WHERE id = $3)
SELECT FROM fence`
