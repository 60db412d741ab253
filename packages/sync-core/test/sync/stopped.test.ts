import { engines } from '@tidemark/test-engines'
import { descendants } from '@tidemark/test-engines/processes'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { type Phase, syncSource } from '../../src/index.ts'
import { corpora } from '../world/corpora.ts'
import { cloneBundle } from '../world/test-repository.ts'
import { testWorld } from '../world/test-world.ts'

const files = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}.md`, `page ${i}`]))

const { bundle } = corpora()[0]!

describe.each(engines)('a run into %s', (engine) => {
  test('that is cancelled before it begins does nothing', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit(files(3))
    const result = await world.sync({ signal: AbortSignal.abort() })
    expect(result).toMatchObject({ status: 'partial', reason: 'cancelled', bookmark: null, target: null })
    expect((await world.db.query('SELECT FROM tidemark.sources')).rows).toEqual([])
  })

  test.each(['lock', 'plan', 'apply'] as Phase[])(
    'that is cancelled in the phase %s keeps the bookmark, gives its lease up and leaves no process behind',
    async (phase) => {
      await using world = await testWorld({ engine, repository: await cloneBundle(bundle) })
      const stop = new AbortController()
      const result = await world.sync({
        signal: stop.signal,
        onProgress: (progress) => progress.phase === phase && progress.total !== 0 && stop.abort(),
      })
      expect(result).toMatchObject({ status: 'partial', reason: 'cancelled', bookmark: null })
      expect(descendants().filter((line) => /^git |parser-process/.test(line))).toEqual([])
      expect(await world.db.locks.list()).toEqual([])
      expect(await world.sync()).toMatchObject({ status: 'first_sync' })
      expect(await world.pages()).toEqual(await world.repository.tree('main'))
    },
  )

  test('that waits for a lease is stopped by its budget as busy, and knows its bookmark', async () => {
    await using world = await testWorld({ engine })
    const bookmark = await world.repository.commit(files(3))
    await world.sync()
    await world.repository.commit(files(4))
    await using _ = await world.db.locks.acquire('sync:docs')
    expect(await world.sync({ waitMs: 60_000, budgetMs: 300 })).toMatchObject({
      ...{ status: 'busy', holder: { pid: process.pid }, bookmark, filesRemaining: null },
    })
  })
})

describe('a run into Postgres', () => {
  test.each([
    ['its pages are locked by someone else', 'LOCK TABLE tidemark.pages IN ACCESS EXCLUSIVE MODE'],
    ['its leases are', 'LOCK TABLE tidemark.locks IN ACCESS EXCLUSIVE MODE'],
    ['its sources are', 'LOCK TABLE tidemark.sources IN ACCESS EXCLUSIVE MODE'],
  ])('is stopped by its budget while %s, and leaves no statement waiting there', async (_, lock) => {
    await using world = await testWorld({ engine: 'postgres' })
    await world.repository.commit(files(30))
    const other = new pg.Client({ connectionString: world.url })
    await other.connect()
    await other.query('BEGIN')
    await other.query(lock)
    const result = await world.sync({ budgetMs: 400 })
    expect(result).toMatchObject({ status: 'partial', reason: 'timeout', bookmark: null })
    const { rows } = await other.query(
      `SELECT query FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
       AND query LIKE '%tidemark.pages%'`,
    )
    expect(rows).toEqual([])
    await other.query('ROLLBACK')
    await other.end()
    // What was waiting for the lease may have got it meanwhile, and gives it back.
    expect(await world.sync({ waitMs: 60_000 })).toMatchObject({ status: 'first_sync', filesImported: 30 })
  })

  test('is refused where the disk of the server is full, says so, and can go on later', async () => {
    await using world = await testWorld({ engine: 'postgres' })
    await world.repository.commit(files(30))
    await world.db.query(`CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$`)
    await world.db.query(
      'CREATE TRIGGER full_disk BEFORE INSERT ON tidemark.chunks FOR EACH ROW EXECUTE FUNCTION full_disk()',
    )
    try {
      expect(await world.sync()).toMatchObject({
        status: 'failed',
        error: { code: 'DATABASE_FAILED', hint: expect.stringContaining('make room') },
      })
    } finally {
      await world.db.query('DROP FUNCTION full_disk CASCADE')
    }
    expect(await world.sync()).toMatchObject({ status: 'first_sync', filesImported: 30 })
  })

  test('that hangs in the parser is stopped by its budget', async () => {
    await using world = await testWorld({ engine: 'postgres' })
    await world.repository.commit({ ...files(3), 'endless.md': '>'.repeat(1_000_000) })
    const source = { id: 'docs', repo: world.repository.folder, ref: 'main' }
    expect(await syncSource(world.db, source, { budgetMs: 1_500 })).toMatchObject({
      status: 'partial',
      reason: 'timeout',
    })
    expect(descendants().filter((line) => line.includes('parser-process'))).toEqual([])
  })
})
