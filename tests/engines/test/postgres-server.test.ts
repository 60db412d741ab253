import { execa } from 'execa'
import pg from 'pg'
import { expect, test, vi } from 'vitest'

const SERVER = new URL('../src/postgres-server.ts', import.meta.url)

const run = (script: string) =>
  execa({
    reject: false,
  })`node --input-type=module -e ${`import { startPostgresServer } from '${SERVER}'\n${script}`}`

test('a process that has had a server ends with the exit code that it has set', async () => {
  const ended = await run(`
    const server = await startPostgresServer()
    await server.stop()
    process.exitCode = 3`)
  expect(ended).toMatchObject({ exitCode: 3, stdout: '', stderr: '' })
})

test('a server does not outlive a process that breaks off', async () => {
  const ended = await run(`
    console.log((await startPostgresServer()).url)
    throw new Error('broken off')`)
  expect(ended).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('broken off') })
  const gone = () => expect(new pg.Client({ connectionString: ended.stdout }).connect()).rejects.toThrow()
  await vi.waitFor(gone, 10_000)
})
