import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Engine, engines, freshDatabase, startPostgresServer } from '@tidemark/test-engines'
import { computeDigest } from '@tidemark/test-engines/contents'
import { serveGit } from '@tidemark/test-engines/git-server'
import { seededRandom } from '@tidemark/test-engines/seeded-random'
import { afterAll, describe, expect, test } from 'vitest'
import { type Database, migrate, openDatabase, syncSource } from '../../src/index.ts'
import { corpora } from '../world/corpora.ts'
import { cloneBundle } from '../world/test-repository.ts'
import { testWorld } from '../world/test-world.ts'

const RUN = fileURLToPath(new URL('../world/run-sync.ts', import.meta.url))
const children: ChildProcess[] = []
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
})

/** Starts a sync in a process of its own, with leases that are over soon after their holder. */
function startSync(url: string, repo: string, options: object = {}) {
  const locks = { ttlMs: 1_500, heartbeatMs: 300, marginMs: 300 }
  const child = spawn(process.execPath, [RUN, url, repo, JSON.stringify({ locks, ...options })], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    child,
    said: async () => (await lines.next()).value as string | undefined,
    async result() {
      let last: string | undefined
      for (let line = await lines.next(); !line.done; line = await lines.next()) last = line.value
      return last?.startsWith('{') ? JSON.parse(last) : null
    },
  }
}

/** Has the database note every version of a page that is written, in the transaction that writes it. */
async function noteWrites(db: Database): Promise<void> {
  await db.query('CREATE TABLE written (path text, blob_oid text)')
  await db.query(`CREATE FUNCTION note_write() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO written VALUES (NEW.path, NEW.blob_oid); RETURN NEW; END $$`)
  await db.query(`CREATE TRIGGER note AFTER INSERT OR UPDATE ON tidemark.pages
    FOR EACH ROW EXECUTE FUNCTION note_write()`)
}

const { bundle } = corpora()[0]!

/** What a run that nothing disturbs makes of a repository. */
async function freshImport(engine: Engine, bundle: string) {
  await using world = await testWorld({ engine, repository: await cloneBundle(bundle) })
  await world.sync()
  // Before the world is emptied.
  return await world.digest()
}

describe.each(engines)('a sync into %s', (engine) => {
  test.each(corpora().filter(({ name }) => name !== 'tldr' || engine === 'postgres'))(
    'of the $name corpus that is killed again and again is complete in the end, and stored nothing twice',
    { timeout: 300_000 },
    async ({ bundle, killMs }) => {
      const random = seededRandom(3)
      const database = await freshDatabase(engine)
      const repository = await cloneBundle(bundle)
      const expected = await freshImport(engine, bundle)
      let setup = await openDatabase(database.url)
      await migrate(setup)
      await noteWrites(setup)
      await setup.close()

      let result = null
      let stored = 0
      // A machine that stalls for longer than a lease makes a run partial too.
      for (let kills = 0; result === null || result.status === 'partial'; kills++) {
        const run = startSync(database.url, repository.folder, { waitMs: 20_000 })
        // Now when a batch is in, now at any moment: before the lease, in the plan, in the next batch.
        if (kills < 8 && kills % 2 === 0) {
          if ((await run.said())?.startsWith('stored')) stored++
          run.child.kill('SIGKILL')
        } else if (kills < 8) {
          const timer = setTimeout(() => run.child.kill('SIGKILL'), 200 + random() * killMs)
          run.child.once('exit', () => clearTimeout(timer))
        }
        result = await run.result()
        if (run.child.exitCode === null && run.child.signalCode === null) await once(run.child, 'exit')
        const looking = await openDatabase(database.url)
        const { rows } = await looking.query(`SELECT bookmark FROM tidemark.sources`)
        const { rows: pages } = await looking.query(`SELECT path, blob_oid FROM tidemark.pages`)
        const tree = await repository.tree('main')
        for (const { path, blob_oid } of pages) expect(tree[path]).toBe(blob_oid)
        if (rows[0]?.bookmark) expect(pages).toHaveLength(Object.keys(tree).length)
        await looking.close()
      }
      expect(stored).toBeGreaterThan(1)
      expect(['first_sync', 'up_to_date']).toContain(result.status)
      setup = await openDatabase(database.url)
      const { rows: twice } = await setup.query(`SELECT path FROM written GROUP BY path, blob_oid HAVING count(*) > 1`)
      expect(twice).toEqual([])
      expect(await computeDigest(setup, 'docs')).toBe(expected)
      await setup.close()
      await database.drop()
      repository.remove()
    },
  )
})

describe('a sync into Postgres', () => {
  test('that is paused until another has taken over commits nothing when it wakes, and ends as lease_lost', {
    timeout: 60_000,
  }, async () => {
    await using world = await testWorld({ engine: 'postgres', repository: await cloneBundle(bundle) })
    const paused = startSync(world.url, world.repository.folder, { slowBatches: true })
    expect(await paused.said()).toMatch(/^stored/)
    paused.child.kill('SIGSTOP')
    const heir = await world.sync({ waitMs: 30_000 })
    expect(heir).toMatchObject({ status: 'first_sync' })
    const after = await world.contents()
    paused.child.kill('SIGCONT')
    expect(await paused.result()).toMatchObject({ status: 'partial', reason: 'lease_lost' })
    expect(await world.contents()).toEqual(after)
    const { rows } = await world.db.query('SELECT last_status FROM tidemark.sources')
    expect(rows).toEqual([{ last_status: 'first_sync' }])
  })

  test.each([
    ['asks again what its ref names', 'lock'],
    ['fetches', 'fetch'],
  ])('that loses its lease while it %s, and the server hangs, ends as lease_lost', async (_, before) => {
    await using world = await testWorld({ engine: 'postgres', repository: await cloneBundle(bundle) })
    const server = await serveGit(world.repository.folder)
    const clones = mkdtempSync(join(tmpdir(), 'tidemark-clones-'))
    const db = await openDatabase(world.url, { ttlMs: 1_500, heartbeatMs: 100, marginMs: 300 })
    const said: string[] = []
    const result = await syncSource(
      db,
      { id: 'docs', repo: server.url, ref: 'main' },
      {
        clones,
        waitMs: 5_000,
        onProgress({ phase }) {
          said.push(phase)
          if (!said.includes('lock') || phase !== 'fetch') return
          // Under the lease it asks, then it fetches.
          if (before === 'fetch' && said.slice(said.indexOf('lock')).length < 3) return
          server.mood = 'hang'
          server.requested().then(() => db.locks.break('sync:docs', { force: true }))
        },
      },
    )
    expect(result).toMatchObject({ status: 'partial', reason: 'lease_lost', bookmark: null })
    await db.close()
    await server.close()
    rmSync(clones, { recursive: true })
  })

  test('beside another of the same source is busy, and does nothing', async () => {
    await using world = await testWorld({ engine: 'postgres', repository: await cloneBundle(bundle) })
    const results = await Promise.all([world.sync(), world.sync(), world.sync()])
    const statuses = results.map(({ status }) => status).sort()
    expect(statuses).toEqual(['busy', 'busy', 'first_sync'])
  })

  test.each(['restart', 'crash'] as const)(
    'whose server goes through a %s in the middle goes on by itself',
    async (fault) => {
      const server = await startPostgresServer()
      const repository = await cloneBundle(bundle)
      const db = await openDatabase(server.url)
      await migrate(db)
      let restarting: Promise<void> | undefined
      const result = await syncSource(
        db,
        { id: 'docs', repo: repository.folder, ref: 'main' },
        {
          budgetMs: 50_000,
          onProgress: ({ phase, done }) => {
            if (phase === 'apply' && done > 0) restarting ??= server[fault]()
          },
        },
      )
      await restarting
      const pages = Object.keys(await repository.tree('main')).length
      expect(result).toMatchObject({ status: 'first_sync', filesImported: pages, filesRemaining: 0, warnings: [] })
      const { rows: runs } = await db.query('SELECT status FROM tidemark.runs')
      expect(runs).toEqual([{ status: 'first_sync' }])
      const { rows } = await db.query('SELECT path, blob_oid FROM tidemark.pages')
      expect(Object.fromEntries(rows.map(({ path, blob_oid }) => [path, blob_oid]))).toEqual(
        await repository.tree('main'),
      )
      await db.close()
      await server.stop()
      repository.remove()
    },
  )
})
