import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { openDatabase } from '@tidemark/sync-core'
import { isolatedGit } from '@tidemark/test-engines/git'
import { hasSmallDisks, onSmallDisk } from '@tidemark/test-engines/small-disk'
import { describe, expect, test } from 'vitest'
import { BIN, type CliWorld, cliWorld } from './world/cli-world.ts'

/** A world whose database is embedded, in its folder. */
async function embeddedWorld() {
  const world = await cliWorld()
  world.write('tidemark.yaml', 'sources: { docs: { repo: docs } }')
  return { world, run: (args: string) => world.run(args, { DATABASE_URL: undefined }) }
}

const openHeld = (world: CliWorld) => openDatabase(join(world.folder, '.tidemark/db'), { label: 'tidemark embed' })

const HELD = /in use by process \d+ on \S+ \(tidemark embed\), for \d/

describe('an embedded database that another process has', () => {
  test('is told by each command with who has it and for how long, and is busy', { timeout: 240_000 }, async () => {
    const { world, run } = await embeddedWorld()
    using _ = world
    const db = await openHeld(world)
    for (const args of ['status', 'search a', 'show docs:a.md', 'runs', 'locks list', 'quarantine', 'migrate'])
      expect({ args, ...(await run(args)) }).toMatchObject({ args, exitCode: 4, stderr: expect.stringMatching(HELD) })
    expect(await run('doctor')).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(HELD) })
    const busy = await run('sync --all --json')
    expect(busy.exitCode).toBe(4)
    expect(JSON.parse(busy.stdout).results).toMatchObject([
      { source: 'docs', status: 'busy', holder: { pid: process.pid, heldForMs: expect.any(Number) } },
    ])
    expect(await run('sync --all')).toMatchObject({ exitCode: 4, stderr: expect.stringMatching(HELD) })
    expect(await run('sync --all --wait 3s --timeout 3s')).toMatchObject({ exitCode: 4 })
    await db.close()
  })

  test('is waited for with --wait', { timeout: 120_000 }, async () => {
    const { world, run } = await embeddedWorld()
    using _ = world
    const db = await openHeld(world)
    const waiting = run('sync --all --wait 60s')
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    await db.close()
    expect(await waiting).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('first_sync') })
  })
})

test('a sync of an embedded database that was killed is told, and the next one starts at once', {
  timeout: 240_000,
}, async () => {
  const { world, run } = await embeddedWorld()
  using _ = world
  world.write('tidemark.yaml', 'sources: { vite: { repo: vite.git, ref: main } }')
  const first = world.start('sync --all --verbose', { DATABASE_URL: undefined })
  for await (const chunk of first.stderr!) if (/importing 84 files/.test(String(chunk))) break
  first.kill('SIGKILL')
  await first.catch(() => {})

  expect((await run('status')).stderr).toMatch(/ended .*without a word; go on from there/)
  const started = performance.now()
  expect(await run('sync --all')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('first_sync') })
  expect(performance.now() - started).toBeLessThan(60_000)
  expect((await run('runs')).stdout).toContain('killed')
})

test.skipIf(!hasSmallDisks())(
  'a sync that fills the disk of an embedded database says so, and goes on when there is room',
  { timeout: 300_000 },
  async () => {
    const { world } = await embeddedWorld()
    using _ = world
    // Nothing that could be stored in less room.
    const words = () => randomBytes(3_000).toString('hex').match(/.{8}/g)!.join(' ')
    world.write('tidemark.yaml', 'search: false\nsources: { small: { repo: small }, docs: { repo: docs } }')
    world.write('small/a.md', '# a')
    await isolatedGit(join(world.folder, 'small')).init()
    await world.commit('small')
    for (let i = 0; i < 900; i++) world.write(`docs/${i}.md`, `# ${i}\n\n${words()}`)
    await world.commit('docs')
    const disk = join(world.folder, 'disk')
    mkdirSync(disk)
    const script = `cd ${world.folder}; t="${process.execPath} ${BIN} --database disk/db"
      $t sync --source small 2>&1; echo "exit $?"
      mount -o remount,size=$(($(df --output=used ${disk} | tail -1) + 6000))k ${disk}
      $t sync --source docs --timeout 2m 2>&1; echo "exit $?"; $t status 2>&1; echo "exit $?"
      mount -o remount,size=600m ${disk}; $t sync --source docs 2>&1; echo "exit $?"`
    const said = await onSmallDisk(disk, '600m', ['sh', '-c', script], { ...world.env, DATABASE_URL: undefined })
    const [, full, status, done] = said.split(/^exit \d+$/m)
    expect(full).toMatch(/The disk of the embedded database in .* is full, with \d+ MB left/)
    expect(status).not.toMatch(/delete it/)
    expect(done).toContain('first_sync')
    expect(said.match(/^exit \d+$/gm)).toEqual(['exit 0', 'exit 1', expect.any(String), 'exit 0'])
  },
)
