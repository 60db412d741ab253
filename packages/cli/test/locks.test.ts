import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { type CliWorld, cliWorld, freshName } from './world/cli-world.ts'

/** Has a process that no longer lives hold the lease of a source, last refreshed so many minutes ago. */
async function deadHolder(world: CliWorld, source: string, minutes: number, lastsMinutes = 60): Promise<void> {
  const client = new pg.Client({ connectionString: world.database })
  await client.connect()
  await client.query(
    `INSERT INTO tidemark.locks (key, holder_id, holder_host, holder_pid, attempt_id, acquired_at, last_refreshed_at, expires_at, heartbeat_ms)
     VALUES ($1, 'dead', 'elsewhere', 4711, gen_random_uuid(), now() - interval '2 hours', now() - $2 * interval '1 minute', now() + $3 * interval '1 minute', 15000)`,
    [`sync:${source}`, minutes, lastsMinutes],
  )
  await client.end()
}

async function worldWith(source: string) {
  const world = await cliWorld()
  world.write('tidemark.yaml', `sources: { ${source}: { repo: docs } }`)
  await world.run('migrate')
  return world
}

describe('a lease that was left behind', () => {
  test('is listed with its holder, and broken only if it is old enough', async () => {
    const source = freshName()
    using world = await worldWith(source)
    await deadHolder(world, source, 10)
    expect((await world.run('locks list')).stdout).toMatch(new RegExp(`sync:${source} +process 4711 on elsewhere`))
    expect(await world.run('sync --all')).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining('process 4711 on elsewhere'),
    })
    const refused = await world.run('sync --break-lock --all --max-age 1800 --json')
    expect(JSON.parse(refused.stdout).results).toMatchObject([{ source, verdict: 'refused', holder: { pid: 4711 } }])
    expect(refused.exitCode).toBe(0)
    expect((await world.run('sync --break-lock --all --max-age 5m')).stdout).toMatch(new RegExp(`${source} +broken`))
    expect((await world.run('sync --break-lock --all')).stdout).toMatch(new RegExp(`${source} +absent`))
    expect(await world.run('sync --all')).toMatchObject({ exitCode: 0 })
  })

  test('that is not broken says why, and what would let it be', async () => {
    const source = freshName()
    using world = await worldWith(source)
    await deadHolder(world, source, 10)
    const why = /process 4711 on elsewhere holds it and showed life 10m( \d+s)? ago/
    const early = await world.run(`locks break sync:${source}`)
    expect(early.stderr).toMatch(why)
    expect(early.stderr).toContain('without --max-age a lease is broken once it has expired')
    expect(early.stderr).toContain(`tidemark locks break sync:${source} --force`)
    expect((await world.run(`locks break sync:${source} --max-age 30m`)).stderr).toContain(
      'broken after 30m without one',
    )
    expect((await world.run('sync --all --break-lock --max-age 30m')).stderr).toMatch(why)
    const { holder, sinceRefreshMs } = JSON.parse((await world.run(`locks break sync:${source} --json`)).stdout)
    expect([holder, sinceRefreshMs > 600_000]).toEqual([{ host: 'elsewhere', pid: 4711 }, true])
  })

  test('is waited for, and busy where the whole budget was spent on that', async () => {
    const source = freshName()
    using world = await worldWith(source)
    await deadHolder(world, source, 0)
    for (const times of ['--wait 5s --timeout 5s', '--wait 30s --timeout 5s', '--wait 1s --timeout 30s'])
      expect({ times, ...(await world.run(`sync --all ${times}`)) }).toMatchObject({
        times,
        exitCode: 4,
        stderr: expect.stringContaining('being synced by process 4711 on elsewhere, for 2h'),
      })
  })

  test('is broken on the way by --break-lock-if-stale, and by force whatever its age', async () => {
    const source = freshName()
    using world = await worldWith(source)
    await deadHolder(world, source, 10)
    expect(await world.run('sync --all --break-lock-if-stale 30m')).toMatchObject({ exitCode: 4 })
    expect(await world.run('sync --all --break-lock-if-stale 5m')).toMatchObject({ exitCode: 0 })
    const other = freshName()
    world.write('tidemark.yaml', `sources: { ${other}: { repo: docs } }`)
    await deadHolder(world, other, 0)
    expect((await world.run(`sync --force-break-lock --source ${other}`)).stdout).toMatch(
      new RegExp(`${other} +broken`),
    )
    await deadHolder(world, `${other}x`, 0)
    expect((await world.run(`locks break sync:${other}x`)).stdout).toBe(`sync:${other}x: refused`)
    expect((await world.run(`locks break sync:${other}x --force`)).stdout).toBe(`sync:${other}x: broken`)
  })

  test.each([
    ['no age, before it has expired', 10, 60, '', 'refused'],
    ['no age, once it has expired', 10, -1, '', 'broken'],
    ['an age within three of its own heartbeats', 0.5, 60, '1s', 'refused'],
    ['an age, once it is silent for longer', 1, 60, '1s', 'broken'],
  ])('is judged alike by every way to break it, given %s', async (_, silent, lasts, age, verdict) => {
    const [a, b] = [freshName(), freshName()]
    using world = await worldWith(a)
    await deadHolder(world, a, silent, lasts)
    await deadHolder(world, b, silent, lasts)
    const maxAge = age && ` --max-age ${age}`
    const all = await world.run(`sync --break-lock --all --json${maxAge}`)
    expect(JSON.parse(all.stdout).results).toMatchObject([{ source: a, verdict }])
    expect((await world.run(`locks break sync:${b}${maxAge}`)).stdout).toBe(`sync:${b}: ${verdict}`)
  })

  test('of a holder that is silent is told with the command that frees it, not with how to wait', async () => {
    const source = freshName()
    using world = await worldWith(source)
    await deadHolder(world, source, 10)
    const { stderr } = await world.run('sync --all')
    const freeing = `sync --source ${source} --break-lock-if-stale 45s`
    expect(stderr).toContain(
      `process 4711 on elsewhere holds its lease and shows no sign of life\n  tidemark ${freeing}`,
    )
    expect(stderr).not.toContain('--wait')
    expect(await world.run(freeing)).toMatchObject({ exitCode: 0 })
  })

  test('cannot have a key that is too long', async () => {
    using world = await worldWith(freshName())
    expect(await world.run(`locks break ${'k'.repeat(1_025)}`)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/^tidemark: a key is a text of .*\n {2}See the keys that there are/),
    })
  })
})

test('runs are listed, newest first', async () => {
  const source = freshName()
  using world = await worldWith(source)
  await world.run('sync --all')
  await world.run('sync --all --full')
  const { stdout } = await world.run(`runs --source ${source}`)
  expect(
    stdout
      .split('\n')
      .slice(1)
      .map((line) => line.split(/ {2,}/)[2]),
  ).toEqual(['synced', 'first_sync'])
  expect(JSON.parse((await world.run(`runs --source ${source} --json --limit 1`)).stdout).runs).toMatchObject([
    { source, status: 'synced' },
  ])
})
