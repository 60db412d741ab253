import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { engines, freshDatabase } from '@tidemark/test-engines'
import { describe, expect, test } from 'vitest'
import { collectMetrics, type MeasuredSource } from '../src/output/open-metrics.ts'
import { type CliWorld, cliWorld, freshName, heldBack } from './world/cli-world.ts'
import { query } from './world/query.ts'

/** The value of each sample, by name and labels. */
function samples(text: string): Record<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]))
}

const metrics = async (world: CliWorld, env = {}) => samples((await world.run('metrics', env)).stdout)

describe.each(engines)('tidemark metrics on %s', (engine) => {
  test('prints what the database knows of each source, before its first sync and after', {
    timeout: 180_000,
  }, async () => {
    using world = await cliWorld()
    const database = await freshDatabase(engine)
    const env = { DATABASE_URL: database.url }
    world.write('tidemark.yaml', 'sources: { docs: { repo: docs }, gone: { repo: nowhere } }')
    world.write('docs/bad.md', '---\na: [\n---\n')
    await world.commit('docs')
    expect(await metrics(world, env)).toMatchObject({ 'tidemark_source_pages{source="docs"}': 0 })
    const before = Date.now() / 1000
    await world.run('sync --all', env)
    const measured = await metrics(world, env)
    expect(measured).toMatchObject({
      'tidemark_source_pages{source="docs"}': 3,
      'tidemark_source_quarantined_files{source="docs"}': 1,
      'tidemark_source_unindexed_pages{source="docs"}': 0,
      'tidemark_source_behind{source="docs"}': 0,
      'tidemark_source_lease_held{source="docs"}': 0,
      'tidemark_source_runs{source="docs",status="first_sync"}': 1,
      'tidemark_source_runs{source="gone",status="failed"}': 1,
    })
    const success = measured['tidemark_source_last_success_timestamp_seconds{source="docs"}']!
    expect(Math.abs(success - before)).toBeLessThan(60)
    expect(measured['tidemark_source_staleness_seconds{source="docs"}']).toBeLessThan(60)
    expect(measured['tidemark_source_last_run_duration_seconds{source="docs"}']).toBeGreaterThan(0)
    // Of what is not known there is nothing: a zero would look like the best of values.
    for (const name of ['staleness_seconds', 'last_success_timestamp_seconds', 'behind', 'unembedded_texts'])
      expect(measured).not.toHaveProperty(`tidemark_source_${name}{source="gone"}`)
    await database.drop()
  })
})

describe('tidemark metrics', () => {
  test('counts what search and embeddings lack, and what is behind, overdue and held', async () => {
    using world = await cliWorld()
    const source = freshName()
    world.write(
      'tidemark.yaml',
      `embedding: { url: "http://127.0.0.1:1/v1", model: m }\nsources: { ${source}: { repo: vite.git, ref: main } }`,
    )
    const at = (name: string) => `tidemark_source_${name}{source="${source}"}`
    await world.run('sync --all')
    await query(
      world.database,
      `UPDATE tidemark.sources SET last_checked_at = now() - interval '1 day' WHERE id = '${source}'`,
      `UPDATE tidemark.sources SET unindexed_since_run = 1 WHERE id = '${source}'`,
      `DELETE FROM tidemark.search_pages WHERE source_id = '${source}'`,
    )
    const measured = await metrics(world)
    expect(measured).toMatchObject({ [at('unindexed_pages')]: 84, [at('lease_held')]: 0 })
    expect(measured[at('unembedded_texts')]).toBeGreaterThan(84)
    expect(measured[at('staleness_seconds')]).toBeGreaterThanOrEqual(86_400)
    await using held = await heldBack(world)
    const running = world.start('sync --all --full')
    await held.waiting(1)
    const during = await metrics(world)
    expect(during).toMatchObject({
      [at('behind')]: 1,
      [at('lease_held')]: 1,
      [`tidemark_source_runs{source="${source}",status="running"}`]: 1,
    })
    expect(during[at('last_success_timestamp_seconds')]).toBe(measured[at('last_success_timestamp_seconds')])
    running.kill('SIGKILL')
    await running
    await held.letGo()
    await query(world.database, `UPDATE tidemark.locks SET expires_at = now() WHERE key = 'sync:${source}'`)
    expect(await metrics(world)).toMatchObject({
      [at('lease_held')]: 0,
      [`tidemark_source_runs{source="${source}",status="killed"}`]: 1,
    })
  })

  test('writes a file all at once, and leaves it as it is where the database is away', async () => {
    using world = await cliWorld()
    world.write('tidemark.yaml', `sources: { ${freshName()}: { repo: docs } }`)
    const file = join(world.folder, 'out', 'tidemark.prom')
    world.write('out/tidemark.prom', 'old')
    const away = { DATABASE_URL: 'postgres://127.0.0.1:1/x' }
    expect(await world.run('metrics --output out/tidemark.prom', away)).toMatchObject({ exitCode: 1, stdout: '' })
    expect(readFileSync(file, 'utf8')).toBe('old')
    expect(await world.run('metrics --output out/tidemark.prom')).toMatchObject({ exitCode: 0, stdout: '', stderr: '' })
    expect(readFileSync(file, 'utf8')).toMatch(/^# HELP .*\n# EOF\n$/s)
    expect(readdirSync(join(world.folder, 'out'))).toEqual(['tidemark.prom'])
    expect(await world.run('metrics --output nowhere/tidemark.prom')).toMatchObject({ exitCode: 1 })
    expect(await world.run('metrics --json')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('status --json'),
    })
  })

  test('makes no embedded database', async () => {
    using world = await cliWorld()
    world.write('tidemark.yaml', 'sources: { docs: { repo: docs } }')
    expect(await world.run('metrics', { DATABASE_URL: undefined })).toMatchObject({ exitCode: 0 })
    expect(existsSync(join(world.folder, '.tidemark'))).toBe(false)
  })
})

test('metrics are OpenMetrics whatever a source is called: HELP and TYPE before samples, base units, EOF at the end', async () => {
  const status = {
    ...{ id: 'a"b\\c\nd', bookmark: null, dirty: false, fingerprint: null, lastStatus: null },
    ...{ lastCheckedAt: new Date(1_500), lastSyncedAt: null, sinceCheckMs: 2_500, behindMs: null, quarantined: 0 },
    ...{ nothingSelected: null, index: null, lastRun: null, lease: null, searchLease: null, embedFailure: null },
    lastSettings: null,
  }
  const source: MeasuredSource = { status, unembedded: null, pages: 0 }
  const lines = (await collectMetrics([source], [{ source: status.id, status: 'synced', count: 2 }]).metrics())
    .trim()
    .split('\n')
  expect(lines.at(-1)).toBe('# EOF')
  const label = 'source="a\\"b\\\\c\\nd"'
  expect(lines).toContain(`tidemark_source_staleness_seconds{${label}} 2.5`)
  expect(lines).toContain(`tidemark_source_last_success_timestamp_seconds{${label}} 1.5`)
  expect(lines).toContain(`tidemark_source_runs{${label},status="synced"} 2`)
  let family = ''
  for (const line of lines.slice(0, -1)) {
    const [, word, name] = /^# (HELP|TYPE) (\w+) ./.exec(line) ?? []
    if (word === 'HELP') family = name!
    else if (word === 'TYPE') expect(line).toBe(`# TYPE ${family} gauge`)
    // As promtool's rules have it: no unit but a base unit, and no ending that another type has.
    else expect(line).toMatch(new RegExp(`^${family}\\{.*\\} [\\d.]+$`))
    expect(family).not.toMatch(/_(total|count|sum|bucket|info|gauge|ms|milliseconds|minutes)$/)
  }
})
