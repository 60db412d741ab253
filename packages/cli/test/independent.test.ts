import { freshDatabase } from '@tidemark/test-engines'
import { describe, expect, test } from 'vitest'
import { type CliWorld, cliWorld, freshName, gone, heldBack } from './world/cli-world.ts'

const results = ({ stdout }: { stdout: string }) => JSON.parse(stdout).results

/** Two sources of 84 pages, written slowly. */
async function twoSources(world: CliWorld) {
  const [a, b] = [freshName(), freshName()]
  world.write(
    'tidemark.yaml',
    `sources:\n  ${a}: { repo: vite.git, ref: main }\n  ${b}: { repo: vite.git, ref: main }\n`,
  )
  return { a, b, held: await heldBack(world) }
}

describe('tidemark sync --independent', () => {
  test('syncs each source in a process of its own, at the same time, and prints one document', async () => {
    using world = await cliWorld()
    const { a, b, held } = await twoSources(world)
    await using _ = held
    const running = world.start('sync --all --independent --json')
    await held.waiting(2)
    const pids = [await held.readPid(a), await held.readPid(b)]
    expect(new Set([running.nodeChildProcess.pid, ...pids]).size).toBe(3)
    await held.letGo()
    const ended = await running
    expect(results(ended)).toMatchObject([
      { source: a, status: 'first_sync', filesImported: 84 },
      { source: b, status: 'first_sync', filesImported: 84 },
    ])
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
  })

  test('starts no more of them at a time than --concurrency says', async () => {
    using world = await cliWorld()
    const { a, b, held } = await twoSources(world)
    await using _ = held
    const running = world.start('sync --all --independent --concurrency 1 --json')
    await held.waiting(1)
    await held.letGo()
    await running
    const { rows } = await held.pool.query(
      'SELECT source_id, started_at, finished_at FROM tidemark.runs WHERE source_id IN ($1, $2) ORDER BY source_id',
      [a, b],
    )
    expect(rows[0].finished_at.getTime()).toBeLessThanOrEqual(rows[1].started_at.getTime())
  })

  test('tells a process that was killed as failed, and lets the others go on', async () => {
    using world = await cliWorld()
    const { a, b, held } = await twoSources(world)
    await using _ = held
    const running = world.start('sync --all --independent --json')
    await held.waiting(2)
    process.kill(await held.readPid(a), 'SIGKILL')
    await held.letGo()
    const ended = await running
    expect(ended.exitCode).toBe(1)
    expect(results(ended)).toMatchObject([
      { source: a, status: 'failed', reason: 'process_killed', error: { code: 'PROCESS_KILLED' } },
      { source: b, status: 'first_sync' },
    ])
    expect(results(ended)[0].error.message).toMatch(/its process \d+ was killed by SIGKILL/)
  })

  test('tells what a process has failed of with the hint to it, whatever else it has written', async () => {
    using world = await cliWorld()
    const source = freshName()
    world.write('tidemark.yaml', `sources: { ${source}: { repo: docs } }`)
    const warning = encodeURIComponent(`process.emitWarning('an old module')`)
    const ended = await world.run('sync --all --independent --json', {
      DATABASE_URL: 'postgres://me@127.0.0.1:1/x',
      NODE_OPTIONS: `--import data:text/javascript,${warning}`,
    })
    expect(results(ended)[0]).toMatchObject({
      status: 'failed',
      error: {
        code: 'PROCESS_FAILED',
        message: expect.stringContaining('postgres://127.0.0.1:1/x does not answer'),
        hint: expect.stringContaining('Check that the server runs'),
      },
    })
  })

  test('kills a process that hangs past its budget, and tells it as failed', async () => {
    using world = await cliWorld()
    const { a, b, held } = await twoSources(world)
    await using _ = held
    const running = world.start('sync --all --independent --concurrency 1 --timeout 5s --json')
    await held.waiting(1)
    const pid = await held.readPid(a)
    process.kill(pid, 'SIGSTOP')
    await held.letGo()
    const ended = await running
    expect(results(ended)).toMatchObject([
      { source: a, status: 'failed', reason: 'process_hung', error: { code: 'PROCESS_HUNG' } },
      { source: b, status: expect.not.stringContaining('failed') },
    ])
    await gone(pid)
  })

  test('passes a SIGINT on, so that all end as partial and give up their leases', async () => {
    using world = await cliWorld()
    const { a, b, held } = await twoSources(world)
    await using _ = held
    const running = world.start('sync --all --independent --json')
    await held.waiting(2)
    running.kill('SIGINT')
    await held.letGo()
    const ended = await running
    expect(ended.exitCode).toBe(130)
    expect(results(ended)).toMatchObject([
      { source: a, status: 'partial', reason: 'cancelled' },
      { source: b, status: 'partial', reason: 'cancelled' },
    ])
    await held.free(a)
    await held.free(b)
  })

  test('leaves no process behind when it is killed itself: they end as partial', async () => {
    using world = await cliWorld()
    const { a, b, held } = await twoSources(world)
    await using _ = held
    const running = world.start('sync --all --independent --json')
    await held.waiting(2)
    const pids = [await held.readPid(a), await held.readPid(b)]
    running.kill('SIGKILL')
    await running
    await held.letGo()
    await Promise.all([...pids.map(gone), held.free(a), held.free(b)])
    const { rows } = await held.pool.query(`SELECT status, reason FROM tidemark.runs WHERE source_id IN ($1, $2)`, [
      a,
      b,
    ])
    expect(rows).toEqual([
      { status: 'partial', reason: 'cancelled' },
      { status: 'partial', reason: 'cancelled' },
    ])
  })

  test('leaves none behind that hangs, either', async () => {
    using world = await cliWorld()
    const { a, b, held } = await twoSources(world)
    await using _ = held
    const running = world.start('sync --all --independent --json')
    await held.waiting(2)
    const pids = [await held.readPid(a), await held.readPid(b)]
    running.kill('SIGKILL')
    await Promise.all(pids.map(gone))
  })

  test('of a source that cannot be read tells what it would tell in one process', async () => {
    using world = await cliWorld()
    world.write('tidemark.yaml', 'sources: { gone: { repo: nowhere } }')
    const { exitCode, stderr } = await world.run('sync --all --independent')
    expect(exitCode).toBe(1)
    expect(stderr).toContain(`tidemark: gone: ${world.folder}/nowhere is not a git repository\n  Give the path`)
    const unreachable = await world.run('sync --all --independent', {
      DATABASE_URL: 'postgres://me:secret@127.0.0.1:1/x',
    })
    expect(unreachable.stderr).toContain('gone: postgres://127.0.0.1:1/x does not answer')
    expect(unreachable.stderr).not.toContain('secret')
  })

  test('runs one process after another on an embedded database', { timeout: 180_000 }, async () => {
    using world = await cliWorld()
    world.write('tidemark.yaml', 'sources: { a: { repo: docs }, b: { repo: docs } }')
    const embedded = await freshDatabase('pglite')
    const ended = await world.run('sync --all --independent --json', { DATABASE_URL: embedded.url })
    expect(results(ended)).toMatchObject([
      { source: 'a', status: 'first_sync' },
      { source: 'b', status: 'first_sync' },
    ])
    await embedded.drop()
  })
})
