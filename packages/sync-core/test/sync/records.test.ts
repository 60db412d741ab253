import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { engines } from '@tidemark/test-engines'
import { describe, expect, test } from 'vitest'
import { readRuns, readStatus, syncSource } from '../../src/index.ts'
import { testWorld } from '../world/test-world.ts'

/** A server that takes connections and never answers. */
async function serveSilence() {
  const server = createServer(() => {}).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/docs.git`,
    [Symbol.dispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}

describe.each(engines)('in %s each run leaves a record', (engine) => {
  test('also one that fails before it has a plan, of a source that was never synced too', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'a' })
    expect(await world.sync({ ref: 'trunk' })).toMatchObject({ status: 'failed' })
    const [run] = await readRuns(world.db, { source: 'docs', failed: true, limit: 9 })
    expect(run).toMatchObject({
      status: 'failed',
      reason: 'ref_not_found',
      message: expect.stringContaining('has no ref "trunk"'),
      hint: expect.any(String),
      startedAt: expect.any(Date),
      finishedAt: expect.any(Date),
    })
    expect(await readStatus(world.db, ['docs'])).toMatchObject([
      { lastRun: { status: 'failed', message: run!.message } },
    ])
    await world.sync()
    expect(await readRuns(world.db, { limit: 9 })).toMatchObject([{ status: 'first_sync' }, { status: 'failed' }])
    expect(await readRuns(world.db, { failed: true, limit: 9 })).toMatchObject([{ status: 'failed' }])
  })

  test('and a dry run none', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'a' })
    expect(await world.sync({ ref: 'trunk', dryRun: true })).toMatchObject({ status: 'failed' })
    expect(await readRuns(world.db, { limit: 9 })).toEqual([])
  })

  test('one that was killed is seen as that once its lease is gone, and written down by the next', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'a' })
    await world.sync()
    const statuses = async () => (await readRuns(world.db, { limit: 9 })).map(({ status }) => status)
    await world.db.query(`INSERT INTO tidemark.runs (source_id, host, pid) VALUES ('docs', 'elsewhere', 7)`)
    await world.db.query(`UPDATE tidemark.sources SET dirty = true`)
    const held = await world.db.locks.acquire('sync:docs')
    expect(await statuses()).toEqual([null, 'first_sync'])
    await held.release()
    expect(await statuses()).toEqual(['killed', 'first_sync'])
    await world.sync()
    expect(await statuses()).toEqual(['synced', 'killed', 'first_sync'])
    const { rows } = await world.db.query(`SELECT finished_at FROM tidemark.runs WHERE status = 'killed'`)
    expect(rows).toEqual([{ finished_at: expect.any(Date) }])
  })

  test('and a server that hangs run after run has failed, until it answers again', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'a' })
    await world.sync()
    const clones = mkdtempSync(join(tmpdir(), 'tidemark-hang-'))
    using silence = await serveSilence()
    const hang = () => syncSource(world.db, { id: 'docs', repo: silence.url, ref: 'main' }, { clones, budgetMs: 300 })
    const partial = { status: 'partial', reason: 'pull_timeout' }
    expect([await hang(), await hang()]).toMatchObject([partial, partial])
    for (const _ of [3, 4])
      expect(await hang()).toMatchObject({
        status: 'failed',
        reason: 'pull_timeout',
        error: { code: 'FETCH_TIMEOUT', message: expect.stringContaining('did not answer within the budget') },
      })
    expect(await readStatus(world.db, ['docs'])).toMatchObject([
      { lastStatus: 'failed', lastRun: { status: 'failed' } },
    ])
    expect(await world.sync()).toMatchObject({ status: 'up_to_date' })
    rmSync(clones, { recursive: true })
  })
})
