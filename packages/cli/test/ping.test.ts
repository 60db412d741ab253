import { serveEmbeddings } from '@tidemark/test-engines/embedding-server'
import { commandLines } from '@tidemark/test-engines/processes'
import { describe, expect, test } from 'vitest'
import { type CliWorld, cliWorld, freshName, heldBack } from './world/cli-world.ts'
import { CHECK, startMonitor } from './world/monitor.ts'

function withSource(world: CliWorld, { repo = 'docs', ping }: { repo?: string; ping?: string } = {}): string {
  const source = freshName()
  const first = ping === undefined ? '' : `ping: "${ping}"\n`
  world.write('tidemark.yaml', `${first}sources: { ${source}: { repo: ${repo} } }`)
  return source
}

describe('--ping tells a monitor', () => {
  test('that a run starts and that it has succeeded, with a summary and one id for both', async () => {
    using world = await cliWorld()
    await using monitor = await startMonitor()
    const source = withSource(world)
    expect(await world.run(`sync --all --json --ping ${monitor.url}`)).toMatchObject({ exitCode: 0, stderr: '' })
    expect(monitor.pinged).toMatchObject([
      { path: '/start', method: 'POST', body: '' },
      { path: '', method: 'POST', body: expect.stringMatching(new RegExp(`^${source}  first_sync \\+3 in `)) },
    ])
    const [first, second] = monitor.pinged
    expect(first!.runId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    expect(second!.runId).toBe(first!.runId)
    await world.run(`sync --all --ping ${monitor.url}`)
    expect(monitor.pinged[2]!.runId).not.toBe(first!.runId)
  })

  test('that it has failed, with why and what to do', async () => {
    using world = await cliWorld()
    await using monitor = await startMonitor()
    const source = withSource(world, { repo: 'nowhere' })
    expect(await world.run(`sync --all --ping ${monitor.url}`)).toMatchObject({ exitCode: 1 })
    const body = expect.stringMatching(new RegExp(`tidemark: ${source}: .*not a git repository\n  Give the path`))
    expect(monitor.pinged.at(-1)).toMatchObject({ path: '/fail', body })
  })

  test('that it failed before it could begin', async () => {
    using world = await cliWorld()
    await using monitor = await startMonitor()
    withSource(world)
    await world.run(`sync --all --ping ${monitor.url}`, { DATABASE_URL: 'postgres://me:hunter2@127.0.0.1:1/x' })
    await world.run(`sync --all --config none.yaml --ping ${monitor.url}`)
    expect(monitor.pinged).toMatchObject([
      { path: '/start' },
      { path: '/fail', body: expect.stringMatching(/^tidemark: postgres:\/\/127.0.0.1:1\/x does not answer/) },
      { path: '/start' },
      { path: '/fail', body: expect.stringContaining('there is no file') },
    ])
    expect(JSON.stringify(monitor.pinged)).not.toContain('hunter2')
  })

  test('at the address of the configuration, which may be a variable that is not set; --ping counts for more', async () => {
    using world = await cliWorld()
    await using monitor = await startMonitor()
    await using other = await startMonitor()
    withSource(world, { ping: '${PING_URL:-}' })
    expect(await world.run('sync --all')).toMatchObject({ exitCode: 0 })
    await world.run('sync --all', { PING_URL: monitor.url })
    expect(monitor.paths()).toEqual(['/start', ''])
    await world.run(`sync --all --ping ${other.url}`, { PING_URL: monitor.url })
    expect(other.paths()).toEqual(['/start', ''])
    expect(monitor.pinged).toHaveLength(2)
  })

  test('nothing of a dry run, nor of breaking leases', async () => {
    using world = await cliWorld()
    await using monitor = await startMonitor()
    withSource(world, { ping: monitor.url })
    await world.run('sync --all --dry-run')
    await world.run('sync --all --break-lock')
    expect(monitor.pinged).toEqual([])
  })

  test('once of all the processes of --independent, none of which has the address', async () => {
    using world = await cliWorld()
    await using monitor = await startMonitor()
    withSource(world, { repo: 'vite.git' })
    await using held = await heldBack(world, 1)
    const running = world.start(`sync --all --independent --ping ${monitor.url}`)
    await held.waiting(1)
    // Its own has it: it was typed.
    expect(commandLines().filter((line) => line.includes(monitor.host))).toHaveLength(1)
    await held.letGo()
    await running
    expect(monitor.paths()).toEqual(['/start', ''])
  })

  test('of embed, too', async () => {
    using world = await cliWorld()
    await using monitor = await startMonitor()
    const server = await serveEmbeddings()
    const source = freshName()
    world.write(
      'tidemark.yaml',
      `embedding: { url: "${server.url}", model: m }\nsources: { ${source}: { repo: docs } }`,
    )
    await world.run(`embed --all --dry-run`)
    server.faults.push({ status: 401 })
    await world.run(`sync --all`)
    const { exitCode } = await world.run(`embed --all --ping ${monitor.url}`)
    expect(monitor.paths()).toEqual(['/start', exitCode === 0 ? '' : '/fail'])
    await server.close()
  })

  test('that a run which a signal has stopped has done something, or that it has done nothing', async () => {
    using world = await cliWorld()
    await using monitor = await startMonitor()
    withSource(world, { repo: 'vite.git' })
    for (const [batches, path] of [
      [1, ''],
      [0, '/fail'],
    ] as const) {
      await using held = await heldBack(world, batches)
      const running = world.start(`sync --all --full --ping ${monitor.url}`)
      await held.waiting(1)
      running.kill('SIGTERM')
      expect(await running).toMatchObject({ exitCode: 143 })
      expect(monitor.pinged.at(-1)).toMatchObject({ path, body: expect.stringContaining('partial') })
    }
  })

  test('as one that asks for a password', async () => {
    using world = await cliWorld()
    await using monitor = await startMonitor()
    withSource(world)
    await world.run(`sync --all --ping ${monitor.url.replace('//', '//me:p%40ss@')}`)
    const authorization = `Basic ${Buffer.from('me:p@ss').toString('base64')}`
    expect(monitor.pinged).toMatchObject([{ authorization }, { authorization }])
  })

  test('no more than it stores, in whole characters', async () => {
    using world = await cliWorld()
    await using monitor = await startMonitor()
    const names = Array.from(
      { length: 120 },
      (_, i) => `${freshName(`source-${i}-`)}: { repo: "nö-${'ü'.repeat(80)}" }`,
    )
    world.write('tidemark.yaml', `sources:\n  ${names.join('\n  ')}`)
    await world.run(`sync --all --concurrency 30 --ping ${monitor.url}`)
    const { body } = monitor.pinged.at(-1)!
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(10_000)
    expect(Buffer.byteLength(body)).toBeGreaterThan(9_990)
    expect(body).not.toContain('\ufffd')
  })
})

describe('a monitor', () => {
  test('that passes a fault is asked again', async () => {
    using world = await cliWorld()
    await using monitor = await startMonitor()
    withSource(world)
    monitor.faults.push(503, 502)
    expect(await world.run(`sync --all --json --ping ${monitor.url}`)).toMatchObject({ exitCode: 0, stderr: '' })
    expect(monitor.paths()).toEqual(['/start', ''])
  })

  test.each([['that is not there'], ['that never answers'], ['that refuses']])(
    '%s changes neither result nor exit code, is one warning without its address, and holds the end up for 5 s at most',
    async (kind) => {
      using world = await cliWorld()
      await using monitor = await startMonitor()
      withSource(world)
      await world.run('sync --all')
      const alone = await world.start('sync --all --json')
      monitor.faults.push(...Array.from({ length: 99 }, () => (kind === 'that refuses' ? 404 : 'hang') as 404 | 'hang'))
      const url = kind === 'that is not there' ? `http://127.0.0.1:1/ping/${CHECK}` : monitor.url
      const ended = await world.start(`sync --all --json --verbose --no-log-time --ping ${url}`)
      expect(ended.exitCode).toBe(0)
      expect(JSON.parse(ended.stdout).results).toMatchObject([{ status: 'up_to_date' }])
      const warnings = ended.stderr.split('\n').filter((line) => line.includes('monitor'))
      expect(warnings).toEqual([expect.stringMatching(/^tidemark: the monitor was not told: 127\.0\.0\.1:\d+ /)])
      expect(ended.stderr).not.toContain(CHECK)
      expect(ended.durationMs - alone.durationMs).toBeLessThan(7_000)
    },
  )

  test.each([
    ['sync --all --ping', `htps://me:hunter2@monitor/${CHECK}`],
    ['embed --gc --ping', CHECK],
  ])('whose address cannot be one is refused without being shown: %s', async (args, url) => {
    using world = await cliWorld()
    world.write(
      'tidemark.yaml',
      'embedding: { url: "http://127.0.0.1:1/v1", model: m }\nsources: { docs: { repo: docs } }',
    )
    const typed = await world.run(`${args} ${url}`)
    expect(typed).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('what --ping names is no http') })
    withSource(world, { ping: url })
    const written = await world.run('status')
    expect(written).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('tidemark.yaml:1:7: ping is wrong') })
    expect(typed.stderr + written.stderr).not.toContain(CHECK)
  })
})
