import { createLocks } from '@tidemark/lock'
import { migrate, openDatabase } from '@tidemark/sync-core'
import { type FreshDatabase, freshDatabase } from '@tidemark/test-engines'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { setUpAudit, takeAudit } from '../../src/chaos/audit.ts'
import { judgeAudit } from '../../src/chaos/judge-audit.ts'
import { withClient } from '../../src/ground/with-client.ts'

let database: FreshDatabase

/** Another process than this one, by its number. */
const OTHER = 1

/** Writes so many pages. */
const write = (pages: number) => `INSERT INTO tidemark.pages
  (source_id, path, blob_oid, parser_version, slug, title, frontmatter, content, size_bytes)
  SELECT 'docs', n, 'a', 1, 'a', 'A', '{}', '', 0 FROM generate_series(1, ${pages}) AS n`

/** Takes what was noted, and judges it with this process as the run `run-1`. */
const judged = async () =>
  judgeAudit(await withClient(database.url, takeAudit), {
    pids: new Map([['run-1', process.pid]]),
    tokens: new Map(),
  })

const asRun = (statement: string) =>
  withClient(`${database.url}?application_name=run-1`, (db) => db.query(statement))

/** Has a process take the lease, and does the work meanwhile. */
const withLeaseOf = (pid: number, work: () => Promise<unknown>) =>
  withClient(database.url, (client) =>
    createLocks(client, { table: 'tidemark.locks', holder: { pid } }).withLock('sync:docs', {}, work),
  )

beforeEach(async () => {
  database = await freshDatabase('postgres')
  const db = await openDatabase(database.url)
  await migrate(db)
  await db.close()
  await withClient(database.url, setUpAudit)
})
afterEach(() => database.drop())

describe('the audit of a chaos run', () => {
  test('finds nothing in a write of the process that has the lease', async () => {
    await withLeaseOf(process.pid, () => asRun(write(1)))
    expect(await judged()).toEqual([])
  })

  test('finds a write while another process has the lease', async () => {
    await withLeaseOf(OTHER, () => asRun(write(1)))
    expect(await judged()).toEqual([expect.objectContaining({ promise: 'fenced', source: 'docs' })])
  })

  test('finds a write without any lease, and not a statement that has changed no page', async () => {
    await asRun(write(0))
    expect(await judged()).toEqual([])
    await asRun(write(1))
    expect(await judged()).toEqual([expect.objectContaining({ promise: 'fenced' })])
  })

  test('finds a lease that was taken over before it had expired, and a token that went back', async () => {
    const steal = `UPDATE tidemark.locks SET holder_pid = 7, attempt_id = gen_random_uuid(), last_refreshed_at = now()`
    await withLeaseOf(OTHER, async () => {
      await asRun(`${steal}, token = token + 5`)
      await asRun(`${steal}, token = token - 3`)
    })
    const promises = (await judged()).map(({ promise }) => promise)
    expect(promises.sort()).toEqual(['alive', 'alive', 'tokens'])
  })
})
