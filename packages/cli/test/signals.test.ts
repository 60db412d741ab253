import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { BIN, type CliWorld, cliWorld, freshName, gone, heldBack } from './world/cli-world.ts'
import { runInTerminal } from './world/terminal.ts'

const results = ({ stdout }: { stdout: string }) => JSON.parse(stdout).results

function withVite(world: CliWorld): string {
  const vite = freshName('vite')
  world.write('tidemark.yaml', `sources: { ${vite}: { repo: vite.git, ref: main } }`)
  return vite
}

describe('tidemark sync', () => {
  test.each([
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('stops as partial on %s with exit code %i, and the next one goes on from there', async (signal, code) => {
    using world = await cliWorld()
    const vite = withVite(world)
    await using held = await heldBack(world, 1)
    const running = world.start('sync --all --json')
    await held.waiting(1)
    running.kill(signal)
    const ended = await running
    expect(ended.exitCode).toBe(code)
    expect(results(ended)).toMatchObject([{ status: 'partial', reason: 'cancelled', filesImported: 25 }])
    await held.free(vite)
    await held.letGo()
    expect(results(await world.run('sync --all --json'))).toMatchObject([
      { status: 'first_sync', filesImported: 59, blobsRead: 59 },
    ])
  })

  test.each([
    ['in one process', ''],
    ['in a process for each source', ' --independent'],
  ])('%s stops as partial when its terminal is closed, and gives back its lease', async (_, flags) => {
    using world = await cliWorld()
    const vite = withVite(world)
    await using held = await heldBack(world, 1)
    const terminal = runInTerminal(world, `sync --all${flags}`)
    await held.waiting(1)
    const pid = await held.readPid(vite)
    terminal.close()
    await gone(pid)
    await held.free(vite)
    const { rows } = await held.pool.query('SELECT status, reason FROM tidemark.runs WHERE source_id = $1', [vite])
    expect(rows).toEqual([{ status: 'partial', reason: 'cancelled' }])
  })

  test('on an embedded database loses nothing when its terminal is closed', { timeout: 180_000 }, async () => {
    using world = await cliWorld()
    world.write('tidemark.yaml', 'sources: { many: { repo: many } }')
    for (let i = 0; i < 1_500; i++) world.write(`many/${i}.md`, `# Page ${i}\n\n${'Some words of it. '.repeat(50)}`)
    await world.git('many').init()
    await world.commit('many')
    const env = { DATABASE_URL: '' }
    const terminal = runInTerminal(world, 'sync --all', { env })
    await terminal.shows(/importing [1-9]\d*\/1500/)
    terminal.close()
    await terminal.ended()
    expect(JSON.parse((await world.run('locks list --json', env)).stdout)).toMatchObject({ locks: [] })
    const [{ filesImported, status }] = results(await world.run('sync --all --json', env))
    expect(status).toBe('first_sync')
    expect(filesImported).toBeLessThan(1_500)
    const runs = JSON.parse((await world.run('runs --json', env)).stdout).runs
    expect(runs.at(-1)).toMatchObject({ status: 'partial', reason: 'cancelled' })
    expect(runs.at(-1).counts.filesImported + filesImported).toBe(1_500)
  })

  test('loses nothing under timeout(1), which signals it and then its group', async () => {
    using world = await cliWorld()
    const vite = withVite(world)
    await using held = await heldBack(world, 1)
    const running = execa('timeout', ['6', process.execPath, BIN, 'sync', '--all', '--json'], {
      cwd: world.folder,
      env: world.env,
      reject: false,
    })
    await held.waiting(1)
    const ended = await running
    expect(ended.exitCode).toBe(124)
    expect(results(ended)).toMatchObject([{ status: 'partial', reason: 'cancelled', filesImported: 25 }])
    await held.free(vite)
  })

  test('is complete in the end, and has stored nothing twice, however often it is stopped and whenever', {
    timeout: 120_000,
  }, async () => {
    using world = await cliWorld()
    withVite(world)
    await using held = await heldBack(world)
    await held.letGo()
    let imported = 0
    // Random, but the same moments each time.
    let seed = 7
    const random = () => {
      seed = (seed * 48_271) % 0x7fff_ffff
      return seed / 0x7fff_ffff
    }
    for (let attempt = 0; attempt < 12; attempt++) {
      const running = world.start('sync --all --json')
      const signal = random() < 0.5 ? 'SIGINT' : 'SIGTERM'
      await sleep(random() * 1_200)
      running.kill(signal)
      const ended = await running
      // Before it could listen it has also touched nothing.
      if (ended.signal !== undefined) continue
      expect([0, signal === 'SIGINT' ? 130 : 143]).toContain(ended.exitCode)
      const [result] = results(ended)
      expect(['partial', 'first_sync', 'up_to_date']).toContain(result.status)
      imported += result.filesImported
      const { rows } = await held.pool.query('SELECT FROM tidemark.locks WHERE holder_id IS NOT NULL')
      expect(rows).toEqual([])
    }
    imported += results(await world.run('sync --all --json'))[0].filesImported
    expect(imported).toBe(84)
  })

  test('does not wait for a database that does not answer', async () => {
    using world = await cliWorld()
    withVite(world)
    await using silent = await silentServer()
    const running = world.start('sync --all --json', { DATABASE_URL: silent.url })
    await silent.called
    running.kill('SIGTERM')
    const ended = await running
    expect(ended.exitCode).toBe(143)
    expect(results(ended)).toMatchObject([{ status: 'partial', reason: 'cancelled' }])
    // A connection is given up after ten seconds.
    expect(ended.durationMs).toBeLessThan(9_000)
  })

  describe('that waits for a database that has stopped answering', () => {
    async function hanging(world: CliWorld) {
      withVite(world)
      const held = await heldBack(world)
      const running = world.start('sync --all --json')
      await held.waiting(1)
      const { rows } = await held.pool.query(BLOCKED)
      process.kill(rows[0].pid, 'SIGSTOP')
      // A promise returned by itself would be waited for.
      return {
        running,
        async [Symbol.asyncDispose]() {
          process.kill(rows[0].pid, 'SIGCONT')
          await held[Symbol.asyncDispose]()
        },
      }
    }

    test('ends at once on a second SIGINT', async () => {
      using world = await cliWorld()
      await using hung = await hanging(world)
      hung.running.kill('SIGINT')
      // As a person would: no sooner, and once more where the process was too slow to see two.
      const again = setInterval(() => hung.running.kill('SIGINT'), 250)
      expect(await hung.running).toMatchObject({ exitCode: 130, stdout: '' })
      clearInterval(again)
    })

    test('takes two at the same moment for one, as a terminal and npx send them', async () => {
      using world = await cliWorld()
      await using hung = await hanging(world)
      hung.running.kill('SIGINT')
      await sleep(20)
      hung.running.kill('SIGINT')
      const ended = await hung.running
      expect(ended.exitCode).toBe(130)
      expect(results(ended)).toMatchObject([{ status: 'partial', reason: 'cancelled' }])
    })
  })
})

const BLOCKED = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`

/** A server that takes connections and never says a word. */
async function silentServer() {
  const { promise: called, resolve } = Promise.withResolvers<void>()
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}))
    resolve()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `postgres://127.0.0.1:${port}/x`,
    called,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
