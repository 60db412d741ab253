import { createLocks } from '@tidemark/lock'
import { migrate, openDatabase } from '@tidemark/sync-core'
import { type FreshDatabase, freshDatabase } from '@tidemark/test-engines'
import type pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createNoteChecker, installAudit, takeNotes } from '../../src/chaos/audit.ts'
import { withClient } from '../../src/harness/harness.ts'

let database: FreshDatabase

/** Another process than this one. */
const OTHER_PID = 1

/** Writes so many pages. */
const write = (pages: number) => `INSERT INTO tidemark.pages
  (source_id, path, blob_oid, parser_version, slug, title, frontmatter, content, size_bytes)
  SELECT 'docs', n, 'a', 1, 'a', 'A', '{}', '', 0 FROM generate_series(1, ${pages}) AS n`

/** Marks the source as unfinished, or as finished. */
const mark = (dirty: boolean) => `INSERT INTO tidemark.sources (id, repo, ref, bookmark, dirty)
  VALUES ('docs', '', '', 'c', ${dirty}) ON CONFLICT (id) DO UPDATE SET dirty = excluded.dirty`

/** Gives the lease to process 7, as no statement of the lock does. */
const steal = (token: string) => `UPDATE tidemark.locks
  SET token = ${token}, holder_id = '7', holder_pid = 7, attempt_id = gen_random_uuid(), last_refreshed_at = now()`

const nameRun = (pid: number) => (pid === process.pid ? 'this-run' : 'other-run')

/** Takes what was noted, and checks it; the other run may have been killed. */
const findViolations = async ({ mayLoseLease = true } = {}) => {
  const pids = [process.pid, OTHER_PID]
  const checkNote = createNoteChecker(new Map(pids.map((pid) => [pid, { name: nameRun(pid), mayLoseLease }])))
  return (await withClient(database.url, takeNotes)).flatMap((note) => [...checkNote(note)])
}

const findInvariants = async (others = {}) => (await findViolations(others)).map(([invariant]) => invariant)

const asRun = (pid: number, work: (db: pg.Client) => Promise<unknown>) =>
  withClient(`${database.url}?application_name=${nameRun(pid)}`, work)

const query = (statement: string) => asRun(process.pid, (db) => db.query(statement))

/** Has a process take the lease, do the work, and give up the lease. */
const withLeaseOf = (pid: number, work: () => Promise<unknown> = async () => {}) =>
  asRun(pid, async (db) => {
    const locks = createLocks(db, { table: 'tidemark.locks', holder: { pid } })
    await locks.acquire('sync:docs')
    await work()
    await locks.close()
  })

beforeEach(async () => {
  database = await freshDatabase('postgres')
  const db = await openDatabase(database.url)
  await migrate(db)
  await db.close()
  await withClient(database.url, installAudit)
  await query(mark(true))
  await withClient(database.url, takeNotes)
})
afterEach(() => database.drop())

describe('the audit of a chaos run', () => {
  test('finds nothing where processes take the lease after each other and write under it', async () => {
    await withLeaseOf(process.pid, () => query(write(1)))
    await withLeaseOf(OTHER_PID)
    await withLeaseOf(process.pid)
    expect(await findViolations()).toEqual([])
  })

  test('finds nothing in a lease that is taken over when it has expired', async () => {
    await withLeaseOf(OTHER_PID, async () => {
      await query(`UPDATE tidemark.locks SET expires_at = now() - interval '1 s'`)
      await withLeaseOf(process.pid)
    })
    expect(await findViolations()).toEqual([])
  })

  test('finds a lease that expired although nothing was done to its holder', async () => {
    await withLeaseOf(OTHER_PID, async () => {
      await query(`UPDATE tidemark.locks SET expires_at = now() - interval '1 s'`)
      await withLeaseOf(process.pid)
    })
    expect(await findInvariants({ mayLoseLease: false })).toEqual(['healthy'])
  })

  test('finds pages that are written while their source counts as finished', async () => {
    await withLeaseOf(process.pid, async () => {
      await query(mark(false))
      await query(write(1))
    })
    expect(await findInvariants()).toEqual(['marked'])
  })

  test('notes the pages with which a source is finished, and one whose bookmark moves beforehand', async () => {
    await withLeaseOf(process.pid, async () => {
      await query(write(2))
      await query(`UPDATE tidemark.sources SET bookmark = 'd'`)
      await query(mark(false))
    })
    const notes = await withClient(database.url, takeNotes)
    const moves = notes.filter(({ what }) => what === 'finished')
    const pages = { 1: 'a', 2: 'a' }
    expect(moves).toMatchObject([
      { bookmark: 'd', pages },
      { bookmark: 'd', pages },
    ])
  })

  test('finds a write while another process has the lease', async () => {
    await withLeaseOf(OTHER_PID, () => query(write(1)))
    expect(await findViolations()).toEqual([['fenced', expect.stringContaining('sync:docs')]])
  })

  test('finds a write without any lease, and not a statement that has changed no page', async () => {
    await query(write(0))
    expect(await findViolations()).toEqual([])
    await query(write(1))
    expect(await findInvariants()).toEqual(['fenced'])
  })

  test('finds a write after the release, whose row still names the process and its token', async () => {
    await withLeaseOf(process.pid)
    await query(write(1))
    expect(await findInvariants()).toEqual(['fenced'])
  })

  test('finds a lease that was taken over before it had expired', async () => {
    await withLeaseOf(OTHER_PID, () => query(steal('token + 5')))
    expect(await findInvariants()).toEqual(['alive'])
  })

  test('finds a lease that another process has released', async () => {
    await withLeaseOf(OTHER_PID, () => query(`UPDATE tidemark.locks SET holder_id = NULL, end_reason = 'released'`))
    expect(await findInvariants()).toEqual(['alive'])
  })

  test('finds a lease that was broken before it had expired', async () => {
    await withLeaseOf(OTHER_PID, () =>
      asRun(process.pid, (db) => createLocks(db, { table: 'tidemark.locks' }).break('sync:docs', { force: true })),
    )
    expect(await findInvariants()).toEqual(['alive'])
  })

  test.each([
    ['stays the same', 'token'],
    ['goes back', 'token - 3'],
  ])('finds a token that %s when the lease is taken', async (_, token) => {
    await withLeaseOf(OTHER_PID)
    await query(steal(token))
    expect(await findInvariants()).toEqual(['tokens'])
  })

  test('finds a token that goes back when the lease is released', async () => {
    await withLeaseOf(process.pid, () =>
      query(`UPDATE tidemark.locks SET holder_id = NULL, end_reason = 'released', token = token - 3`),
    )
    expect(await findInvariants()).toEqual(['tokens'])
  })

  test('finds a token that stays the same when the lease is broken', async () => {
    await withLeaseOf(OTHER_PID, () =>
      query(`UPDATE tidemark.locks SET holder_id = NULL, end_reason = 'broken', expires_at = now() - interval '1 s'`),
    )
    expect(await findInvariants()).toContain('tokens')
  })
})
