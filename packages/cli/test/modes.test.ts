import { openDatabase } from '@tidemark/sync-core'
import { engines, freshDatabase } from '@tidemark/test-engines'
import { describe, expect, test } from 'vitest'
import { cliWorld, freshName } from './world/cli-world.ts'

describe.each(engines)('tidemark sync on %s', (engine) => {
  test('in all its modes, one after another', { timeout: 300_000 }, async () => {
    using world = await cliWorld()
    const database = await freshDatabase(engine)
    const sync = async (args: string) => {
      const { exitCode, stdout } = await world.run(`sync ${args} --json`, { DATABASE_URL: database.url })
      return { exitCode, results: JSON.parse(stdout).results }
    }
    world.write('docs/broken.md', '---\na: [\n---\n# Broken')
    await world.commit('docs')
    world.write('tidemark.yaml', 'sources:\n  docs: { repo: docs }\n  vite: { repo: vite.git, ref: main }\n')

    expect(await sync('--all --dry-run')).toMatchObject({
      exitCode: 0,
      results: [
        {
          status: 'dry_run',
          filesImported: 4,
          changes: expect.arrayContaining([{ change: 'add', path: 'a.md' }]),
        },
        { status: 'dry_run', filesImported: 84 },
      ],
    })
    expect(
      await sync('--source docs --source vite --source docs --concurrency 1 --timeout 1h --wait 1s'),
    ).toMatchObject({
      exitCode: 0,
      results: [
        { source: 'docs', status: 'first_sync', filesImported: 3, filesQuarantined: 1 },
        { source: 'vite', status: 'first_sync', filesImported: 84 },
      ],
    })
    expect(await sync('--all --break-lock-if-stale 60')).toMatchObject({
      exitCode: 0,
      results: [{ status: 'up_to_date' }, { status: 'up_to_date' }],
    })
    expect(await sync('--source docs --retry-quarantined')).toMatchObject({
      results: [{ status: 'synced', filesQuarantined: 1 }],
    })
    expect(await sync('--source docs --full')).toMatchObject({
      results: [{ status: 'synced', filesUpdated: 3 }],
    })

    await world.git('docs').mv('a.md', 'renamed.md')
    world.write('docs/b.md', '# changed')
    world.write('docs/new.md', '# new')
    await world.git('docs').rm('c.md')
    await world.commit('docs')
    const { results } = await sync('--source docs --dry-run')
    expect(results[0].changes).toEqual([
      { change: 'rename', from: 'a.md', path: 'renamed.md' },
      { change: 'update', path: 'b.md' },
      { change: 'add', path: 'new.md' },
      { change: 'delete', path: 'c.md' },
    ])
    expect(await sync('--source docs')).toMatchObject({
      results: [{ status: 'synced', filesImported: 1, filesUpdated: 1, filesRenamed: 1, filesDeleted: 1 }],
    })

    world.write('tidemark.yaml', 'sources:\n  docs: { repo: docs, subpath: x }\n  gone: { repo: nowhere }\n')
    expect(await sync('--source docs')).toMatchObject({
      exitCode: 3,
      results: [{ status: 'blocked', reason: 'mass_delete' }],
    })
    expect(await sync('--all')).toMatchObject({
      exitCode: 1,
      results: [{ status: 'blocked' }, { status: 'failed' }],
    })
    expect(await sync('--source docs --allow-mass-delete')).toMatchObject({
      exitCode: 0,
      results: [{ filesDeleted: 3 }],
    })
    expect(await sync('--break-lock --all --max-age 30m')).toMatchObject({
      exitCode: 0,
      results: [
        { source: 'docs', verdict: 'absent' },
        { source: 'gone', verdict: 'absent' },
      ],
    })
    await database.drop()
  })

  test('sets most of a source aside only when someone says so, and exits 3', {
    timeout: 180_000,
  }, async () => {
    using world = await cliWorld()
    const database = await freshDatabase(engine)
    for (let n = 0; n < 30; n++) world.write(`docs/broken-${n}.md`, '---\na: [\n---\n')
    await world.commit('docs')
    world.write('tidemark.yaml', 'sources: { docs: { repo: docs } }')
    const { exitCode, stdout, stderr } = await world.run('sync --all', { DATABASE_URL: database.url })
    expect(exitCode).toBe(3)
    expect(stdout).toContain('blocked_by_failures')
    expect(stderr).toContain('files cannot be stored')
    await database.drop()
  })
})

describe('tidemark sync --all', () => {
  test.each([
    ['postgres', '--concurrency 1'],
    ['postgres', '--concurrency 1 --independent'],
    // One process at a time has that database.
    ['pglite', '--independent'],
  ] as const)(
    'takes first what was looked at longest ago, so that a wave cut short leaves out others than the last: %s, %s',
    async (engine, mode) => {
      using world = await cliWorld()
      const database = await freshDatabase(engine)
      const run = (args: string) => world.run(args, { DATABASE_URL: database.url })
      const [a, b, c] = [freshName(), freshName(), freshName()]
      world.write('tidemark.yaml', `sources: { ${[a, b, c].map((id) => `${id}: { repo: docs }`).join(', ')} }`)
      await run(`sync --source ${a}`)
      await run(`sync --source ${b}`)
      await run(`sync --source ${a}`)
      const { stdout } = await run(`sync --all --json ${mode}`)
      expect(JSON.parse(stdout).results).toMatchObject([{ source: a }, { source: b }, { source: c }])
      const db = await openDatabase(database.url)
      const { rows } = await db.query('SELECT id FROM tidemark.sources ORDER BY last_checked_at')
      await db.close()
      await database.drop()
      expect(rows).toEqual([{ id: c }, { id: b }, { id: a }])
    },
  )
})

describe('tidemark sync --dry-run', () => {
  test('shows a plan that a person can read, and of many files the first ones', async () => {
    using world = await cliWorld()
    world.write('tidemark.yaml', 'sources: { planned: { repo: vite.git, ref: main } }')
    const { stdout } = await world.run('sync --all --dry-run')
    expect(stdout).toMatch(/^planned: 84 to be added\n {2}\+ /)
    expect(stdout).toContain('… and 64 more; --verbose shows all\n')
    const all = (await world.run('sync --all --dry-run --verbose')).stdout
    expect(all.split('\n').filter((line) => line.startsWith('  + '))).toHaveLength(84)
    const same = (await world.run('sync --all --dry-run --independent')).stdout
    expect(same.split('\n').slice(0, 22)).toEqual(stdout.split('\n').slice(0, 22))
  })
})
