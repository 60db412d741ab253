import { applyBatch, encodeBatch } from './apply-batch.ts'
import { deleteOrphans } from './delete-orphans.ts'
import { type Fenced, fencedQuery } from './fenced-query.ts'

/** Some tenths of a second for each statement, however large the source is. */
const PAGES_PER_STATEMENT = 500
const ROWS_PER_STATEMENT = 20_000

/**
 * Deletes a source with everything that was made of it, in pieces, each of them whole: what a call that is stopped
 * leaves, the next one deletes, or a sync makes complete again.
 *
 * @throws {LeaseLostError}
 */
export async function deleteSource(fenced: Fenced, sourceId: string): Promise<void> {
  await fencedQuery(fenced, MARK_DIRTY, [sourceId])
  for (let after = '0'; ; ) {
    const { rows } = await fenced.db.query<{ id: string }>(READ_PAGE_IDS, [sourceId, after, PAGES_PER_STATEMENT])
    if (rows.length === 0) break
    const deletedIds = rows.map(({ id }) => id)
    const batch = encodeBatch({ pages: [], quarantined: [], deletedIds, quarantineCleared: [] })
    await applyBatch(fenced, sourceId, batch, null)
    after = deletedIds.at(-1)!
  }
  await deleteOrphans(fenced, sourceId, () => {})
  for (const table of ['files', 'quarantine', 'runs', 'deleted_pages', 'renamed_pages']) {
    let deleted: number
    do {
      const params = [sourceId, ROWS_PER_STATEMENT]
      ;[{ deleted }] = await fencedQuery<{ deleted: number }>(fenced, deleteRowsSql(table), params)
    } while (deleted === ROWS_PER_STATEMENT)
  }
  await fencedQuery(fenced, DELETE_SOURCE, [sourceId])
}

/** Else the source would seem up to date where the removal is stopped. */
const MARK_DIRTY = /* sql */ `
source AS (UPDATE tidemark.sources SET dirty = true FROM fence WHERE id = $3)
SELECT FROM fence`

/** Each time behind the last: what is deleted stays in the index for a while. */
const READ_PAGE_IDS = /* sql */ `
SELECT id FROM tidemark.pages WHERE source_id = $1 AND id > $2::bigint ORDER BY id LIMIT $3::integer`

const deleteRowsSql = (table: string) => /* sql */ `
deleted AS (
  DELETE FROM tidemark.${table} WHERE ctid = ANY (ARRAY(
    SELECT row.ctid FROM fence, tidemark.${table} AS row WHERE row.source_id = $3 LIMIT $4::integer
  )) RETURNING 1
)
SELECT (SELECT count(*)::integer FROM deleted) AS deleted FROM fence`

const DELETE_SOURCE = /* sql */ `
source AS (DELETE FROM tidemark.sources USING fence WHERE id = $3)
SELECT FROM fence`
