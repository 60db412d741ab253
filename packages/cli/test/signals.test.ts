import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { BIN, type CliWorld, cliWorld, freshName, heldBack } from './world/cli-world.ts'

const results = ({ stdout }: { stdout: string }) => JSON.parse(stdout).results

function withVite(world: CliWorld): string {
  const vite = freshName('vite')
  world.write('tidemark.yaml', `sources: { ${vite}: { repo: vite.git, ref: main } }`)
  return vite
}

describe('tidemark sync', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    'stops as partial on %s with exit code %i, and the next one goes on from there',
    async (signal, code) => {
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
    },
  )

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

  describe('that waits for a git that hears no signal', () => {
    /** A source behind an ssh that says when it runs, and ends only when it is killed. */
    async function hanging(world: CliWorld) {
      world.write('tidemark.yaml', 'sources: { far: { repo: "ssh://host/docs.git" } }')
      world.write(
        'ssh',
        `#!/bin/sh\ntrap "" TERM INT\ntouch ${world.folder}/running\nwhile :; do sleep 0.1; done\n`,
      )
      const running = world.start('sync --all --json', { GIT_SSH_COMMAND: `sh ${world.folder}/ssh` })
      await expect.poll(() => existsSync(join(world.folder, 'running')), { timeout: 30_000 }).toBe(true)
      // A promise returned by itself would be waited for.
      return { running }
    }

    test('ends at once on a second SIGINT', async () => {
      using world = await cliWorld()
      const { running } = await hanging(world)
      running.kill('SIGINT')
      // A person's second one comes no sooner.
      await sleep(300)
      running.kill('SIGINT')
      expect(await running).toMatchObject({ exitCode: 130, stdout: '' })
    })

    test('takes two at the same moment for one, as a terminal and npx send them', async () => {
      using world = await cliWorld()
      const { running } = await hanging(world)
      running.kill('SIGINT')
      await sleep(20)
      running.kill('SIGINT')
      const ended = await running
      expect(ended.exitCode).toBe(130)
      expect(results(ended)).toMatchObject([{ source: 'far', status: 'partial', reason: 'cancelled' }])
    })
  })
})
