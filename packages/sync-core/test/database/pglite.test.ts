import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { type FreshDatabase, freshDatabase } from '@tidemark/test-engines'
import { childPids, cpuMs, descendants, isRunning } from '@tidemark/test-engines/processes'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openDatabase } from '../../src/index.ts'

const RUN = fileURLToPath(new URL('../world/run-pglite.ts', import.meta.url))

/** Rows that take the database some seconds to count, and half a minute or more. */
const [SECONDS, MINUTE] = [5_000_000, 200_000_000]

let database: FreshDatabase
beforeEach(async () => {
  database = await freshDatabase('pglite')
})
afterEach(() => database.drop())

/** A process that has the database open, at the head of a group of its own as in a terminal. */
function start(rows = SECONDS): ChildProcess & { stdout: NodeJS.ReadableStream } {
  const run = spawn(process.execPath, [RUN, database.url, String(rows)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  return run as ChildProcess & { stdout: NodeJS.ReadableStream }
}
const firstLine = async (run: ReturnType<typeof start>) => {
  const [line] = await once(createInterface({ input: run.stdout }), 'line')
  return line
}

describe('an embedded database', () => {
  test('is told to be in use with the number of the process that has it', async () => {
    const run = start()
    await firstLine(run)

    await expect(openDatabase(database.url)).rejects.toMatchObject({
      code: 'DATABASE_IN_USE',
      message: expect.stringContaining(`process ${run.pid}`),
    })

    run.kill('SIGKILL')
    await once(run, 'exit')
  })

  test('of a process that was killed in a statement ends with it, and can be opened at once', async () => {
    const run = start(MINUTE)
    await firstLine(run)
    const [pid] = childPids('pglite-process', run.pid)
    const openedMs = cpuMs(pid!)
    // In the middle of the statement, which keeps its thread busy.
    await vi.waitFor(() => expect(cpuMs(pid!)).toBeGreaterThan(openedMs + 300), { timeout: 20_000 })
    run.kill('SIGKILL')
    await once(run, 'exit')

    await vi.waitFor(() => expect(isRunning(pid!)).toBe(false), { timeout: 5_000 })
    const db = await openDatabase(database.url)

    expect((await db.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    await db.close()
    expect(descendants().filter((line) => line.includes('pglite-process'))).toEqual([])
  })

  test('is not ended by a Ctrl-C, which reaches every process of a terminal, and a forgotten close() keeps no one', async () => {
    const run = start()
    const said = text(run.stdout)
    await once(run.stdout, 'data')

    process.kill(-run.pid!, 'SIGINT')

    expect(await once(run, 'exit')).toEqual([0, null])
    expect((await said).trim().split('\n').sort()).toEqual(['5000000', 'interrupted', 'open'])
  })

  test('is for its user alone, also one that was made for all', async () => {
    const loose = () => {
      const files = readdirSync(database.url, { recursive: true, withFileTypes: true })
      const paths = [database.url, `${database.url}.lock`, ...files.map((file) => join(file.parentPath, file.name))]
      return paths.filter((path) => statSync(path).mode & 0o077)
    }
    const db = await openDatabase(database.url)
    await db.query('CREATE TABLE made AS SELECT 1 AS one')
    expect(loose()).toEqual([])
    await db.close()
    for (const path of [database.url, join(database.url, 'base')]) chmodSync(path, 0o755)
    for (const path of [`${database.url}.lock`, join(database.url, 'pg_hba.conf')]) chmodSync(path, 0o666)

    await (await openDatabase(database.url)).close()

    expect(loose()).toEqual([])
  })

  test('named by mistake leaves a folder of other files, and a file, as they are', async () => {
    const folder = `${database.url}-other`
    mkdirSync(folder, { mode: 0o755 })
    writeFileSync(join(folder, 'a.md'), 'a', { mode: 0o644 })
    await expect(openDatabase(folder)).rejects.toMatchObject({ code: 'DATABASE_FOLDER' })
    await expect(openDatabase(join(folder, 'a.md'))).rejects.toMatchObject({ code: 'DATABASE_FOLDER' })
    expect([statSync(folder).mode & 0o777, statSync(join(folder, 'a.md')).mode & 0o777]).toEqual([0o755, 0o644])
    rmSync(folder, { recursive: true })
  })

  test('that has ended tells so to every statement', async () => {
    const db = await openDatabase(database.url)
    const long = db.query('SELECT count(*) FROM generate_series(1, 50000000)')
    long.catch(() => {})
    const { execFileSync } = await import('node:child_process')
    execFileSync('pkill', ['-KILL', '-P', String(process.pid), '-f', 'pglite-process'])

    await expect(long).rejects.toThrow('the embedded database has ended')
    await expect(db.query('SELECT 1')).rejects.toThrow('the embedded database has ended')
    await db.close().catch(() => {})
  })
})
