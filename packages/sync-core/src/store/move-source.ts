import type { Lease } from '@tidemark/lock'
import type { Database } from '../database/database.ts'
import { DERIVED_TABLES, deleteOrphans } from './delete-orphans.ts'
import { type Fenced, fencedQuery } from './fenced-query.ts'
import { readRows } from './read-rows.ts'

/** Some tenths of a second for each statement, however large the source is. */
const PAGES_PER_STATEMENT = 500
const ROWS_PER_STATEMENT = 5_000

/** A source, its new name, and the leases of both. */
export interface Move extends Fenced {
  readonly from: string
  readonly to: string
  /** Of the new name; `lease` is of the old one. */
  readonly otherLease: Lease
}

/** What the new name is in the database: free, taken by another source, or half of this one. */
export async function readMoveState(db: Database, from: string, to: string): Promise<'free' | 'taken' | 'begun'> {
  const rows = await readRows<{ id: string; begun: boolean }>(db, READ_MOVE_STATE, [from, to])
  const other = rows.find(({ id }) => id === to)
  if (other === undefined) return 'free'
  // Where the old name is there again, someone has synced it since.
  return other.begun && rows.length === 1 ? 'begun' : 'taken'
}

/** What the fingerprint begins with meanwhile. */
const marker = (from: string) => `('renamed from ' || ${from}::text || ': ')`

const READ_MOVE_STATE = /* sql */ `
SELECT id, coalesce(starts_with(fingerprint, ${marker('$1')}), false) AS begun FROM tidemark.sources WHERE id IN ($1, $2)`

/**
 * Gives the source its new name, and what belongs to it in pieces, each of them whole. Until `finishMove` it is not up to
 * date, because its fingerprint is none: that also tells a call that was stopped from another source.
 *
 * @throws {LeaseLostError}
 */
export async function moveSource(move: Move): Promise<void> {
  const { db, from } = move
  await movingQuery(move, BEGIN_MOVE)
  for (let after = '0'; ; ) {
    const { rows } = await db.query<{ id: string }>(READ_PAGE_IDS, [from, after, PAGES_PER_STATEMENT])
    if (rows.length === 0) break
    const ids = rows.map(({ id }) => id)
    await movingQuery(move, MOVE_PAGES, [`{${ids.join(',')}}`])
    after = ids.at(-1)!
  }
  // What is left is of no page.
  await deleteOrphans(move, from, () => {})
  for (const table of ['files', 'quarantine', 'runs', 'deleted_pages', 'renamed_pages']) {
    let moved: number
    do [{ moved }] = await movingQuery(move, moveRowsSql(table), [ROWS_PER_STATEMENT])
    while (moved === ROWS_PER_STATEMENT)
  }
  await movingQuery(move, MOVE_HINTS)
}

/** Has the source count under its new name. @throws {LeaseLostError} */
export const finishMove = (move: Move) => movingQuery(move, FINISH_MOVE)

/** Runs a statement that begins with the fences of both leases, as `fence`, and has from, to and `params` from $3 on. */
function movingQuery<Row = any>(move: Move, ctes: string, params: readonly unknown[] = []) {
  const other = move.otherLease.fenceSql(5 + params.length)
  const text = `other AS MATERIALIZED (${other.text}),\nleases AS MATERIALIZED (SELECT FROM fence, other),\n${ctes}`
  return fencedQuery<Row & { moved: number }>(move, text, [move.from, move.to, ...params, ...other.params])
}

const BEGIN_MOVE = /* sql */ `
source AS (
  UPDATE tidemark.sources SET id = $4, fingerprint = ${marker('$3')} || coalesce(fingerprint, '') FROM leases WHERE id = $3
)
SELECT FROM leases`

const READ_PAGE_IDS = /* sql */ `
SELECT id FROM tidemark.pages WHERE source_id = $1 AND id > $2::bigint ORDER BY id LIMIT $3::integer`

const MOVE_PAGES = /* sql */ `
page AS (UPDATE tidemark.pages SET source_id = $4 FROM leases WHERE source_id = $3 AND id = ANY ($5::bigint[])),
${DERIVED_TABLES.map(
  (table) => `moved_${table} AS (
  UPDATE tidemark.${table} SET source_id = $4 FROM leases WHERE source_id = $3 AND page_id = ANY ($5::bigint[])
)`,
).join(',\n')}
SELECT FROM leases`

const moveRowsSql = (table: string) => /* sql */ `
moved AS (
  UPDATE tidemark.${table} AS row SET source_id = $4 FROM leases
  WHERE row.source_id = $3 AND row.ctid = ANY (ARRAY(
    SELECT ctid FROM tidemark.${table} WHERE source_id = $3 LIMIT $5::integer
  )) RETURNING 1
)
SELECT (SELECT count(*)::integer FROM moved) AS moved FROM leases`

/** What runs have advised is for the new name. */
const MOVE_HINTS = /* sql */ `
hint AS (
  UPDATE tidemark.runs SET hint = replace(hint, 'sources set ' || $3 || ' ', 'sources set ' || $4 || ' ')
  FROM leases WHERE source_id = $4
)
SELECT FROM leases`

// Pages came under the new name with the numbers that they had, maybe behind someone who reads there: all begin anew.
const FINISH_MOVE = /* sql */ `
source AS (
  UPDATE tidemark.sources SET
    seq = greatest(seq + 1, (extract(epoch FROM now()) * 1000000)::bigint),
    expired_seq = greatest(seq + 1, (extract(epoch FROM now()) * 1000000)::bigint),
    fingerprint = nullif(replace(fingerprint, ${marker('$3')}, ''), '') FROM leases WHERE id = $4
)
SELECT FROM leases`
