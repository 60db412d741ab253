import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import pg from 'pg'
import { describe, expect, test, vi } from 'vitest'
import { type Engine, freshDatabase, hasSystemPostgres } from '../src/index.ts'
import { startSystemPostgres, systemPostgresBin } from '../src/system-postgres.ts'

const MODULE = new URL('../src/system-postgres.ts', import.meta.url)

describe.skipIf(!hasSystemPostgres())("the system's Postgres", () => {
  test('is another version than ours, and its databases can be written to', async () => {
    expect(await writtenVersion('system-postgres')).not.toBe(await writtenVersion('postgres'))
  })

  test('keeps its data over a restart', async () => {
    const server = await startSystemPostgres(systemPostgresBin()!)
    await query(server.url, 'CREATE TABLE kept AS SELECT 1 AS one')
    await server.restart()
    expect(await query(server.url, 'TABLE kept')).toEqual([{ one: 1 }])
    await server.stop()
  })

  test('does not outlive a process that breaks off', async () => {
    // Its data is left behind.
    const folder = await mkdtemp(join(tmpdir(), 'tidemark-broken-off-'))
    await chmod(folder, 0o755)
    const script = `
      import { startSystemPostgres, systemPostgresBin } from '${MODULE}'
      console.log((await startSystemPostgres(systemPostgresBin())).url)
      throw new Error('broken off')`
    const child = await execa({
      reject: false,
      env: { TMPDIR: folder },
    })`${process.execPath} --input-type=module -e ${script}`
    expect(child).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('broken off') })
    await vi.waitFor(() => expect(query(child.stdout, 'SELECT')).rejects.toThrow('ECONNREFUSED'), 10_000)
    await rm(folder, { recursive: true })
  })
})

async function writtenVersion(engine: Engine): Promise<string> {
  const database = await freshDatabase(engine)
  await query(database.url, 'CREATE TABLE versions AS SELECT version()')
  const [row] = await query(database.url, 'TABLE versions')
  await database.drop()
  return row.version
}

async function query(url: string, text: string): Promise<any[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}
