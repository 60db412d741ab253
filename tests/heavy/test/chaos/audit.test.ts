import { createLocks } from '@tidemark/lock'
import { migrate, openDatabase } from '@tidemark/sync-core'
import { type FreshDatabase, freshDatabase } from '@tidemark/test-engines'
import type pg from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
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

const EXPIRE = `UPDATE tidemark.locks SET expires_at = now() - interval '1 s'`

/** Ends the lease, as no statement of the lock does. */
const end = (reason: string, changes = '') =>
  `UPDATE tidemark.locks SET holder_id = NULL, end_reason = '${reason}'${changes}`

/** Gives the lease to process 7, as no statement of the lock does. */
const steal = (token: string) => `UPDATE tidemark.locks
  SET token = ${token}, holder_id = '7', holder_pid = 7, attempt_id = gen_random_uuid(), last_refreshed_at = now()`

const nameRun = (pid: number) => (pid === process.pid ? 'this-run' : 'other-run')

type Step = string | (() => Promise<unknown>)

const asRun = (pid: number, work: (db: pg.Client) => Promise<unknown>) =>
  withClient(`${database.url}?application_name=${nameRun(pid)}`, work)

/** What this run does, whoever has the lease. */
const perform = async (steps: readonly Step[]) => {
  for (const step of steps) await (typeof step === 'string' ? asRun(process.pid, (db) => db.query(step)) : step())
}

/** Has a process take the lease and give it up, and this run do something meanwhile. */
const withLeaseOf =
  (pid: number, ...steps: readonly Step[]): Step =>
  () =>
    asRun(pid, async (db) => {
      const locks = createLocks(db, { table: 'tidemark.locks', holder: { pid } })
      await locks.acquire('sync:docs')
      await perform(steps)
      await locks.close()
    })

const ours = (...steps: readonly Step[]) => withLeaseOf(process.pid, ...steps)
const theirs = (...steps: readonly Step[]) => withLeaseOf(OTHER_PID, ...steps)

const forceBreak = () =>
  asRun(process.pid, (db) => createLocks(db, { table: 'tidemark.locks' }).break('sync:docs', { force: true }))

const takenNotes = () => withClient(database.url, takeNotes)

beforeEach(async () => {
  database = await freshDatabase('postgres')
  const db = await openDatabase(database.url)
  await migrate(db)
  await db.close()
  await withClient(database.url, installAudit)
  await perform([mark(true)])
  await takenNotes()
})
afterEach(() => database.drop())

test.each<[what: string, steps: readonly Step[], invariants: readonly string[], mayLoseLease?: boolean]>([
  ['nothing where processes take the lease in turn and write under it', [ours(write(1)), theirs(), ours()], []],
  ['nothing in a lease that is taken over when it has expired', [theirs(EXPIRE, ours())], []],
  ['a lease that expired although nothing was done to its holder', [theirs(EXPIRE, ours())], ['healthy'], false],
  ['pages that are written while their source counts as finished', [ours(mark(false), write(1))], ['marked']],
  ['a write while another process has the lease', [theirs(write(1))], ['fenced']],
  ['a write without any lease', [write(1)], ['fenced']],
  ['nothing in a statement that has changed no page', [write(0)], []],
  ['a write after the release, whose row still names the process and its token', [ours(), write(1)], ['fenced']],
  ['a lease that was taken over before it had expired', [theirs(steal('token + 5'))], ['alive']],
  ['a lease that another process has released', [theirs(end('released'))], ['alive']],
  ['a lease that was broken before it had expired', [theirs(forceBreak)], ['alive']],
  ['a token that stays the same when the lease is taken', [theirs(), steal('token')], ['tokens']],
  ['a token that goes back when the lease is taken', [theirs(), steal('token - 3')], ['tokens']],
  ['a token that goes back when the lease is released', [ours(end('released', ', token = token - 3'))], ['tokens']],
  ['a token that stays the same when the lease is broken', [theirs(EXPIRE, end('broken'))], ['tokens']],
])('the audit of a chaos run finds %s', async (_, steps, invariants, mayLoseLease = true) => {
  await perform(steps)
  const checkNote = createNoteChecker(
    new Map([process.pid, OTHER_PID].map((pid) => [pid, { name: nameRun(pid), mayLoseLease }])),
  )
  const violations = (await takenNotes()).flatMap((note) => [...checkNote(note)])
  expect(violations.map(([invariant]) => invariant)).toEqual(invariants)
})

test('the audit notes the pages with which a source is finished, and one whose bookmark moves beforehand', async () => {
  await perform([ours(write(2), `UPDATE tidemark.sources SET bookmark = 'd'`, mark(false))])
  const moves = (await takenNotes()).filter(({ what }) => what === 'finished')
  const move = { bookmark: 'd', pages: { 1: 'a', 2: 'a' } }
  expect(moves).toMatchObject([move, move])
})
