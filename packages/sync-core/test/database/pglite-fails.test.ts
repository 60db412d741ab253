import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type FreshDatabase, freshDatabase } from '@tidemark/test-engines'
import { childPids } from '@tidemark/test-engines/processes'
import { hasSmallDisks, onSmallDisk } from '@tidemark/test-engines/small-disk'
import { afterEach, assert, beforeEach, describe, expect, test } from 'vitest'
import { migrate, openDatabase } from '../../src/index.ts'

const FILL = fileURLToPath(new URL('../world/fill-pglite.ts', import.meta.url))

let database: FreshDatabase
beforeEach(async () => {
  database = await freshDatabase('pglite')
})
afterEach(() => database.drop())

describe('an embedded database', () => {
  test('that does not answer is killed soon after the signal, and goes on with what was committed', async () => {
    await using db = await opened()
    await db.query('CREATE TABLE kept AS SELECT 1 AS one')
    const [pid] = childPids('pglite-process')
    process.kill(pid!, 'SIGSTOP')
    const started = performance.now()
    const late = db.query('SELECT 1', [], AbortSignal.timeout(100)).catch((error) => error.message)
    const behind = db.query('SELECT 2 AS two').catch((error) => error.message)

    expect(await late).toContain('timeout')

    expect(performance.now() - started).toBeLessThan(10_000)
    expect(await behind).toBe('the embedded database has ended')
    expect((await db.query('SELECT one FROM kept')).rows).toEqual([{ one: 1 }])
    expect(childPids('pglite-process')).not.toContain(pid)
  })

  test('that does not answer while it is closed is closed all the same', { timeout: 60_000 }, async () => {
    const db = await openDatabase(database.url)
    process.kill(childPids('pglite-process')[0]!, 'SIGSTOP')
    await db.close().catch(() => {})
    expect(childPids('pglite-process')).toEqual([])
    await (await openDatabase(database.url)).close()
  })

  test('ends its opening with the signal', async () => {
    await (await openDatabase(database.url)).close()
    await expect(openDatabase(database.url, { signal: AbortSignal.timeout(1) })).rejects.toThrow('timeout')
    await (await openDatabase(database.url)).close()
  })

  test('drops the leases of a process that was killed as soon as it is opened, and tokens go on rising', async () => {
    const first = await openDatabase(database.url)
    await migrate(first)
    const lease = await first.locks.acquire('sync:docs')
    process.kill(childPids('pglite-process')[0]!, 'SIGKILL')
    await first.close().catch(() => {})

    await using db = await opened()
    expect(await db.locks.inspect('sync:docs')).toMatchObject({ holder: null, token: lease.token })
    const next = await db.locks.tryAcquire('sync:docs')

    assert(next.acquired)
    expect(next.lease.token).toBeGreaterThan(lease.token)
  })

  test('that is damaged says so, and does not first advise to delete it', async () => {
    await (await openDatabase(database.url)).close()
    writeFileSync(join(database.url, 'global', 'pg_control'), 'x')
    const error = await openDatabase(database.url).catch((error) => error)
    expect(error).toMatchObject({ code: 'DATABASE_FOLDER', message: expect.stringContaining('does not open') })
    expect(error.hint).toMatch(/copy.*mv .*\.damaged.*next sync/s)
    expect(error.hint).not.toContain('delete')
  })

  test('that another process has is waited for, as long as is asked', async () => {
    const first = await openDatabase(database.url, { label: 'tidemark sync' })
    const inUse = {
      code: 'DATABASE_IN_USE',
      message: expect.stringMatching(/process \d+ on \S+ \(tidemark sync\), for \d/),
    }
    await expect(openDatabase(database.url, { waitMs: 50 })).rejects.toMatchObject(inUse)
    await expect(openDatabase(database.url, { waitMs: 60_000, signal: AbortSignal.timeout(50) })).rejects.toMatchObject(
      inUse,
    )

    const waiting = openDatabase(database.url, { waitMs: 60_000 })
    await first.close()

    await (await waiting).close()
  })

  test.skipIf(!hasSmallDisks())(
    'on a full disk says so and keeps what is in, until there is room',
    { timeout: 120_000 },
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'tidemark-full-'))
      mkdirSync(join(folder, 'disk'))
      const outcomes = await onSmallDisk(join(folder, 'disk'), '75m', [process.execPath, FILL, join(folder, 'disk')])
      rmSync(folder, { recursive: true })
      const [full, after, reopened, roomy] = outcomes
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
      const said = { code: 'DATABASE_FULL', message: expect.stringMatching(/The disk of .* is full, with \d+ MB left/) }
      expect(full).toMatchObject(said)
      expect(after).toMatchObject(said)
      expect(reopened).toMatchObject(said)
      expect(roomy).toEqual({ kept: true })
    },
  )
})

async function opened() {
  const db = await openDatabase(database.url)
  return { ...db, [Symbol.asyncDispose]: () => db.close() }
}
