import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { freshDatabase } from '@tidemark/test-engines'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { createLocks } from '../src/index.ts'

const HOLDER = fileURLToPath(new URL('world/holder.ts', import.meta.url))

/** A database with a table of work, and processes that work on it under a lease. */
async function processWorld() {
  const database = await freshDatabase('postgres')
  const pool = new pg.Pool({ connectionString: database.url })
  pool.on('error', () => {})
  const locks = createLocks(pool, { ttlMs: 2_000, heartbeatMs: 300, marginMs: 200 })
  await locks.migrate()
  await pool.query('CREATE TABLE work (id int GENERATED ALWAYS AS IDENTITY, token bigint)')
  const children: ChildProcess[] = []
  return {
    pool,
    locks,
    start(mode: 'work' | 'idle') {
      const child = spawn(process.execPath, [HOLDER, database.url, mode], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      children.push(child)
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
      return { child, said: async () => (await lines.next()).value as string | undefined }
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill('SIGKILL')
      await locks.close()
      await pool.end()
      await database.drop()
    },
  }
}

describe('a process that holds a lease', () => {
  test('and is killed leaves the key free when the lease has run out', async () => {
    await using world = await processWorld()
    const { child, said } = world.start('work')
    expect(await said()).toBe('acquired')
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(await world.locks.tryAcquire('job')).toMatchObject({ acquired: false, holder: { pid: child.pid } })
    const heir = await world.locks.acquire('job', { waitMs: 30_000 })
    expect(heir.held).toBe(true)
    expect(await world.locks.inspect('job')).toMatchObject({ endReason: 'expired' })
  })

  test('and is paused until another has taken over commits nothing when it wakes', async () => {
    await using world = await processWorld()
    const { child, said } = world.start('work')
    expect(await said()).toBe('acquired')
    expect(await said()).toBe('working')
    child.kill('SIGSTOP')
    const heir = await world.locks.acquire('job', { waitMs: 30_000 })
    const before = await world.pool.query('SELECT max(id) AS id FROM work')
    child.kill('SIGCONT')
    expect(await said()).toMatch(/^lost (taken|expired|unreachable)$/)
    const { rows } = await world.pool.query('SELECT id FROM work WHERE id > $1 OR token >= $2', [
      before.rows[0].id,
      String(heir.token),
    ])
    expect(rows).toEqual([])
    await heir.refresh()
    expect(heir.held).toBe(true)
  })

  test('and has nothing else to do is not kept alive by its heartbeat', async () => {
    await using world = await processWorld()
    const { child, said } = world.start('idle')
    expect(await said()).toBe('acquired')
    const [code] = await once(child, 'exit')
    expect(code).toBe(0)
  })
})
