import { describe, expect, test } from 'vitest'
import { cliWorld, freshName, heldBack } from './world/cli-world.ts'
import { query } from './world/query.ts'
import { runInTerminal } from './world/terminal.ts'

/** The screen without what differs from run to run. */
const masked = (screen: string) =>
  screen
    .replace(/[0-9a-f]{10}/g, '<commit>')
    .replace(/\b\d+(\.\d)?m?s\b/g, '<time>')
    .replace(/\d+ files\/s/g, '<rate>')

describe('on a terminal, tidemark sync', () => {
  test('shows one live line for each source, and a table in their place when it is done', async () => {
    using world = await cliWorld()
    const [a, b] = [freshName('first'), freshName('second')]
    world.write('tidemark.yaml', `sources:\n  ${a}: { repo: vite.git, ref: main }\n  ${b}: { repo: docs }\n`)
    await using held = await heldBack(world)
    const terminal = runInTerminal(world, 'sync --all')
    await held.waiting(2)
    await expect
      .poll(() => masked(terminal.screen()).split('\n').sort())
      .toEqual([`${a}  importing 0/84  <rate>`, `${b}  importing 0/3  <rate>`])
    await held.letGo()
    const { exitCode, screen } = await terminal.ended()
    expect(exitCode).toBe(0)
    expect(
      masked(screen)
        .split('\n')
        .map((line) => line.trimEnd().replace(/ +/g, ' ')),
    ).toEqual([
      'source status files left bookmark time',
      `${a} first_sync +84 0 <commit> <time>`,
      `${b} first_sync +3 0 <commit> <time>`,
    ])
  })

  test('tells the rate and the time left while it imports', async () => {
    using world = await cliWorld()
    const a = freshName('rated')
    world.write('tidemark.yaml', `sources: { ${a}: { repo: vite.git, ref: main } }`)
    await using held = await heldBack(world, 1)
    const terminal = runInTerminal(world, 'sync --all')
    await terminal.shows(/importing 25\/84 {2}\d+ files\/s, \S+s left/)
    await held.letGo()
    expect(await terminal.ended()).toMatchObject({ exitCode: 0 })
  })

  test('tells how many pages are indexed, the rate and the time left', async () => {
    using world = await cliWorld()
    const a = freshName('indexed')
    world.write('tidemark.yaml', `sources: { ${a}: { repo: vite.git, ref: main } }`)
    await using held = await heldBack(world, 1, 'search_chunks')
    const terminal = runInTerminal(world, 'sync --all')
    await terminal.shows(/indexing for search \d+\/84 {2}\d+ pages\/s, \S+.* left/)
    await held.letGo()
    expect(await terminal.ended()).toMatchObject({ exitCode: 0 })
  })

  test('cuts lines that are longer than a narrow one is wide, and wraps none', async () => {
    using world = await cliWorld()
    const a = freshName('source-with-a-name-of-some-length-')
    world.write('tidemark.yaml', `sources: { ${a}: { repo: vite.git, ref: main } }`)
    await using held = await heldBack(world)
    const terminal = runInTerminal(world, 'sync --all', { columns: 40 })
    await terminal.shows(`${a}`.slice(0, 30))
    expect(terminal.screen().split('\n')).toHaveLength(1)
    await held.letGo()
    const { screen } = await terminal.ended()
    const lines = screen.split('\n')
    expect(lines).toHaveLength(2)
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(40)
  })

  test.each([
    ['a dumb one', 'sync --all', { TERM: 'dumb' }],
    ['one of a CI', 'sync --all', { CI: 'true' }],
    ['one that git commands are shown on', 'sync --all --verbose', {}],
  ])('writes plain lines on %s', async (_, args, env) => {
    using world = await cliWorld()
    const a = freshName('plain')
    world.write('tidemark.yaml', `sources: { ${a}: { repo: docs } }`)
    const { screen } = await runInTerminal(world, args, { env, columns: 200 }).ended()
    expect(screen).toMatch(new RegExp(`^${a}: importing 3 files$`, 'm'))
    expect(screen).toMatch(new RegExp(`^${a} +first_sync`, 'm'))
  })

  test.each([
    ['paints', 'status', {}, true],
    ['paints nothing with NO_COLOR', 'status', { NO_COLOR: '1' }, false],
    ['paints nothing with --no-color', 'status --no-color', {}, false],
  ])('%s', async (_, args, env, coloured) => {
    using world = await cliWorld()
    world.write('tidemark.yaml', 'sources: { painted: { repo: docs } }')
    const terminal = runInTerminal(world, args, { env })
    await terminal.ended()
    expect(terminal.raw().includes('\u001b[33m')).toBe(coloured)
  })

  test('stops as partial on Ctrl-C', async () => {
    using world = await cliWorld()
    const a = freshName('stopped')
    world.write('tidemark.yaml', `sources: { ${a}: { repo: vite.git, ref: main } }`)
    await using held = await heldBack(world)
    const terminal = runInTerminal(world, 'sync --all')
    await held.waiting(1)
    terminal.type('\u0003')
    const { exitCode, screen } = await terminal.ended()
    expect(exitCode).toBe(130)
    expect(screen).toMatch(new RegExp(`${a} +partial \\(cancelled\\)`))
    await held.free(a)
  })
})

describe('on a terminal, tidemark status', () => {
  test('fits 80 columns with who syncs a source and what is wrong with it, and has full times with --verbose', async () => {
    using world = await cliWorld()
    const a = freshName('documentation')
    world.write('tidemark.yaml', `sources: { ${a}: { repo: docs, every: 1h } }`)
    await world.run('sync --all')
    await query(
      world.database,
      `INSERT INTO tidemark.locks (key, holder_id, holder_host, holder_pid, attempt_id, acquired_at, last_refreshed_at, expires_at, heartbeat_ms)
       VALUES ('sync:${a}', 'x', 'a-host-with-a-long-name.example.com', 4194303, gen_random_uuid(), now() - interval '26 hours', now() - interval '20 minutes', now() + interval '1 hour', 15000)
       ON CONFLICT (key) DO UPDATE SET holder_id = 'x', holder_host = excluded.holder_host, holder_pid = excluded.holder_pid,
         acquired_at = excluded.acquired_at, last_refreshed_at = excluded.last_refreshed_at, expires_at = excluded.expires_at`,
    )
    const { stdout } = await world.run('status')
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
    expect(stdout).toMatch(/syncing +holder silent +4194303@a-host-… 1d +just now +in (1h|\d+m)$/m)
    const verbose = (await world.run('status --verbose')).stdout
    expect(verbose).toContain('process 4194303 on a-host-with-a-long-name.example.com since 20')
    expect(verbose).toMatch(/first_sync \d{4}-\d\d-\d\d \d\d:\d\d:\d\d +\d{4}-/)
  })
})

describe('on a terminal, tidemark sources remove --purge', () => {
  test('asks before it deletes, and takes nothing but yes for that', async () => {
    using world = await cliWorld()
    const a = freshName('asked')
    world.write('tidemark.yaml', `sources: { ${a}: { repo: docs } }`)
    await world.run('sync --all')
    const refused = runInTerminal(world, `sources remove ${a} --purge`, { columns: 200 })
    await refused.shows(`Delete 3 pages, 3 chunks, 0 links and 1 runs of "${a}" in postgres`)
    refused.type('\r')
    expect((await refused.ended()).screen).toContain('Nothing was removed.')
    expect((await world.run('sources list')).stdout).toContain(a)
    const agreed = runInTerminal(world, `sources remove ${a} --purge`, { columns: 200 })
    await agreed.shows('[y/N]')
    agreed.type('y\r')
    expect((await agreed.ended()).screen).toContain(`Removed "${a}"`)
  })
})
