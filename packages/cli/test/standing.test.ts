import { freshDatabase } from '@tidemark/test-engines'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type CliWorld, cliWorld, freshName } from './world/cli-world.ts'
import { query } from './world/query.ts'

/** A world with a database that nobody else has: what others leave there would be a problem too. */
async function ownWorld(): Promise<CliWorld> {
  const database = await freshDatabase('postgres')
  onTestFinished(database.drop)
  return cliWorld(database.url)
}

/** A source that is synced, fresh and whole. */
async function synced() {
  const world = await ownWorld()
  const source = freshName()
  const configure = (settings = '') =>
    world.write('tidemark.yaml', `sources: { ${source}: { repo: docs, every: 1h${settings} } }`)
  configure()
  expect(await world.run('sync --all')).toMatchObject({ exitCode: 0 })
  return { world, source, configure }
}

const change = (world: CliWorld, sql: string) => query(world.database, sql)

/** A lease that a process which is gone had, and that has ended by itself or not. */
const deadLease = (key: string, expires: string) => `
  INSERT INTO tidemark.locks (key, holder_id, holder_host, holder_pid, attempt_id, acquired_at, last_refreshed_at, expires_at)
  VALUES ('${key}', 'dead', 'elsewhere', 4711, gen_random_uuid(), now() - interval '1 hour', now() - interval '80 seconds', now() + interval '${expires}')
  ON CONFLICT (key) DO UPDATE SET holder_id = 'dead', holder_host = 'elsewhere', holder_pid = 4711, attempt_id = excluded.attempt_id,
    last_refreshed_at = excluded.last_refreshed_at, expires_at = excluded.expires_at, token = DEFAULT`

/** Time goes on from one command to the next. */
const undated = (text: string) => text.replaceAll(/\b(\d+[dhms]\b ?)+/g, '<time> ').replaceAll(/ +/g, ' ')

/** That `status`, `status --check`, `--json` and `doctor` tell the same problem, and the command that they name mends it. */
async function expectProblem(world: CliWorld, source: string, code: string, message: string, severity = 'warning') {
  const [{ problems }] = JSON.parse((await world.run('status --json')).stdout).sources
  expect(problems).toEqual([
    { code, severity, message: expect.stringContaining(message), nextStep: expect.any(String) },
  ])
  const [{ message: whole, nextStep }] = problems
  const shown = `${source}: ${whole}\n  ${nextStep}`
  expect(undated((await world.run('status')).stderr)).toBe(undated(`tidemark: ${shown}`))
  const checked = await world.run('status --check --quiet')
  expect(checked).toMatchObject({ exitCode: 5, stderr: `Not fresh or not whole: ${source}` })
  const error = severity === 'error'
  const doctor = await world.run('doctor')
  expect(doctor.exitCode).toBe(error ? 1 : 0)
  expect(doctor.stdout).toMatch(new RegExp(`${error ? '✗' : '!'} (source|lease): `))
  expect(undated(doctor.stdout)).toContain(undated(shown))
  return {
    nextStep,
    async mends() {
      expect(await world.run(nextStep.replace('tidemark ', ''))).toMatchObject({ exitCode: 0 })
      expect(await world.run('status --check')).toMatchObject({ exitCode: 0, stderr: '' })
    },
  }
}

describe('status, status --check and doctor tell the same of', () => {
  test('a source that is fresh and whole', async () => {
    const { world, source } = await synced()
    using _ = world
    expect(await world.run('status --check')).toMatchObject({ exitCode: 0, stderr: '' })
    const { exitCode, stdout } = await world.run('doctor')
    expect(exitCode).toBe(0)
    expect(stdout).toContain(`✓ source: ${source}: `)
    expect(stdout).not.toMatch(/^[!✗]/m)
  })

  test('one that is behind, and nothing of it while that is allowed', async () => {
    const { world, source } = await synced()
    using _ = world
    world.write('docs/new.md', '# New')
    await world.commit('docs')
    await change(
      world,
      `UPDATE tidemark.sources SET behind_since = now() - interval '10 minutes' WHERE id = '${source}'`,
    )
    expect(await world.run('status --check --max-staleness 11m')).toMatchObject({ exitCode: 0 })
    expect(await world.run('status --check --max-staleness 9m')).toMatchObject({ exitCode: 5 })
    await (await expectProblem(world, source, 'behind', 'behind its ref for 10m')).mends()
  })

  test('one that a dead cron no longer looks at', async () => {
    const { world, source } = await synced()
    using _ = world
    await change(
      world,
      `UPDATE tidemark.sources SET last_checked_at = now() - interval '50 hours' WHERE id = '${source}'`,
    )
    const message = 'nobody has looked at it for 2d 2h, it is due every 1h'
    await (await expectProblem(world, source, 'overdue', message, 'error')).mends()
  })

  test('a run that was killed', async () => {
    const { world, source } = await synced()
    using _ = world
    await change(
      world,
      `${deadLease(`sync:${source}`, '-1 second')}; UPDATE tidemark.sources SET dirty = true WHERE id = '${source}'`,
    )
    const [{ problems }] = JSON.parse((await world.run('status --json')).stdout).sources
    expect(problems).toMatchObject([{ code: 'killed' }, { code: 'behind' }])
    expect(problems[0].message).toMatch(
      /^process 4711 on elsewhere, which synced it, ended 1m \d+s ago without a word; go on from there:$/,
    )
    expect(await world.run(problems[0].nextStep.replace('tidemark ', ''))).toMatchObject({ exitCode: 0 })
    expect(await world.run('status --check')).toMatchObject({ exitCode: 0 })
  })

  test('a holder that shows no sign of life, as soon as its lease may be broken', async () => {
    const { world, source } = await synced()
    using _ = world
    await change(world, deadLease(`sync:${source}`, '1 hour'))
    const message = 'process 4711 on elsewhere holds its lease and shows no sign of life'
    await (await expectProblem(world, source, 'holder_silent', message, 'error')).mends()
  })

  test('a search index that lacks pages', async () => {
    const { world, source } = await synced()
    using _ = world
    await change(
      world,
      `UPDATE tidemark.sources SET unindexed_since_run = 1 WHERE id = '${source}';
       DELETE FROM tidemark.search_pages WHERE source_id = '${source}' AND page_id <> (SELECT min(id) FROM tidemark.pages WHERE source_id = '${source}')`,
    )
    await (await expectProblem(world, source, 'index_incomplete', '1 of 3 pages can be found by search')).mends()
  })

  test('a search index that a dead process keeps, of which a sync does not say that all is well', async () => {
    const { world, source } = await synced()
    using _ = world
    await change(
      world,
      `UPDATE tidemark.sources SET unindexed_since_run = 1 WHERE id = '${source}';
       DELETE FROM tidemark.search_pages WHERE source_id = '${source}'; ${deadLease(`search:${source}`, '1 hour')}`,
    )
    const { stderr } = await world.run('sync --all')
    expect(stderr).toContain('the search index lacks some pages still: process 4711 on elsewhere writes it')
    const { nextStep } = await expectProblem(
      world,
      source,
      'index_incomplete',
      '0 of 3 pages can be found by search; process 4711',
    )
    expect(await world.run(nextStep.replace('tidemark ', ''))).toMatchObject({ exitCode: 0 })
    await (await expectProblem(world, source, 'index_incomplete', '0 of 3 pages')).mends()
  })

  test('a configuration that has changed since the last sync', async () => {
    const { world, source, configure } = await synced()
    using _ = world
    world.write('docs/draft.md', '# Draft')
    await world.commit('docs')
    await world.run('sync --all')
    configure(', exclude: [draft.md]')
    const { nextStep } = await expectProblem(world, source, 'settings_changed', 'its configuration has changed')
    expect((await world.run(nextStep.replace('tidemark ', ''))).stdout).toContain('draft.md')
    expect(await world.run('sync --all')).toMatchObject({ exitCode: 0 })
    expect(await world.run('status --check')).toMatchObject({ exitCode: 0 })
  })

  test('files that are set aside, and tidemark quarantine what mends them', async () => {
    const { world, source } = await synced()
    using _ = world
    world.write('docs/broken.md', '---\na: [\n---\n# Broken')
    await world.commit('docs')
    const { stderr } = await world.run('sync --all')
    expect(stderr).toContain(`tidemark quarantine --source ${source}`)
    const { nextStep } = await expectProblem(world, source, 'quarantined', '1 file is set aside')
    const { stdout } = await world.run(nextStep.replace('tidemark ', ''))
    expect(stdout).toContain(`${source}:broken.md  (just now)\n  the front matter is not YAML that can be stored`)
    expect(stdout).toContain('\n  Mend the lines at the top of the file.')
    const { files } = JSON.parse((await world.run(`quarantine --source ${source} --json`)).stdout)
    expect(files).toMatchObject([{ source, path: 'broken.md', code: 'bad_front_matter' }])
    world.write('docs/broken.md', '# Mended')
    await world.commit('docs')
    await world.run('sync --all')
    expect((await world.run(`quarantine --source ${source}`)).stderr).toBe('No file is set aside.')
    expect(await world.run('status --check')).toMatchObject({ exitCode: 0 })
  })

  test('a source that was never synced', async () => {
    using world = await ownWorld()
    const source = freshName()
    world.write('tidemark.yaml', `sources: { ${source}: { repo: docs } }`)
    await world.run('migrate')
    await (await expectProblem(world, source, 'never_synced', 'never synced')).mends()
  })

  test('--max-staleness without --check is refused', async () => {
    using world = await cliWorld()
    world.write('tidemark.yaml', '')
    expect(await world.run('status --max-staleness 1h')).toMatchObject({ exitCode: 2 })
  })
})
