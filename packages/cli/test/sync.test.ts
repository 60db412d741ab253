import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openDatabase } from '@tidemark/sync-core'
import { describe, expect, test } from 'vitest'
import { cliWorld, freshName } from './world/cli-world.ts'

/** A configuration whose sources no other test of the same database has. */
const twoSources = () => {
  const docs = freshName('docs')
  const vite = freshName('vite')
  return {
    docs,
    vite,
    yaml: `sources:\n  ${docs}: { repo: docs }\n  ${vite}: { repo: vite.git, ref: main }\n`,
  }
}

describe('tidemark', () => {
  test('leads a newcomer from nothing to a mirrored repository in an embedded database', {
    timeout: 180_000,
  }, async () => {
    using world = await cliWorld()
    const env = { DATABASE_URL: undefined }
    expect(await world.run('init', env)).toMatchObject({ exitCode: 0 })
    expect(await world.run('sources add docs docs', env)).toMatchObject({ exitCode: 0 })
    expect(await world.run('sync --all', env)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(
        /^source +status +files +left +bookmark +time\ndocs +first_sync +\+3 +0 +[0-9a-f]{10} /,
      ),
    })
    expect(existsSync(join(world.folder, '.tidemark', 'db', 'PG_VERSION'))).toBe(true)
    expect(await world.run('sync --all', env)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('up_to_date'),
    })
    expect((await world.run('status', env)).stdout).toMatch(/docs +up to date +– +– +just now +in \d+m/)
  })
})

describe('tidemark sync', () => {
  test('prints one JSON document and nothing else on standard output', async () => {
    using world = await cliWorld()
    const { docs, vite, yaml } = twoSources()
    world.write('tidemark.yaml', yaml)
    const { exitCode, stdout, stderr } = await world.run('sync --all --json')
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    const { version, results } = JSON.parse(stdout)
    expect(version).toBe(1)
    expect(results).toMatchObject([
      { source: docs, status: 'first_sync', filesImported: 3, filesRemaining: 0, warnings: [] },
      {
        source: vite,
        status: 'first_sync',
        filesImported: 84,
        blobsRead: 84,
        phases: { apply: expect.any(Number) },
      },
    ])
  })

  test('prints plain lines when piped, without colours and cursor movements', async () => {
    using world = await cliWorld()
    const { docs, yaml } = twoSources()
    world.write('tidemark.yaml', yaml)
    const { stdout, stderr } = await world.run(`sync --source ${docs}`)
    expect(stdout + stderr).not.toContain('\u001b')
    expect(stderr).toContain(`${docs}: importing 3 files\n`)
  })

  test('lets one source fail without stopping another, and exits 1', async () => {
    using world = await cliWorld()
    const { vite, yaml } = twoSources()
    world.write('tidemark.yaml', `${yaml}  gone: { repo: nowhere }\n  refless: { repo: docs, ref: mian }\n`)
    const { exitCode, stdout, stderr } = await world.run('sync --all')
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(new RegExp(`${vite} +first_sync`))
    expect(stdout).toMatch(/gone +failed/)
    expect(stderr).toContain(`tidemark: gone: ${world.folder}/nowhere is not a git repository\n  Give the path`)
    expect(stderr).toContain(
      `tidemark: refless: ${world.folder}/docs has no ref "mian"; nearest to it: main\n  tidemark sources set refless --ref main`,
    )
    expect(stderr).not.toContain(' at ')
  })

  test('of a dry run tells what would be done and makes no database', { timeout: 180_000 }, async () => {
    using world = await cliWorld()
    world.write('tidemark.yaml', 'sources: { docs: { repo: docs } }')
    const outcome = await world.run('sync --all --dry-run --json', { DATABASE_URL: undefined })
    expect(JSON.parse(outcome.stdout).results).toMatchObject([
      { status: 'dry_run', filesImported: 3, filesRemaining: 3 },
    ])
    expect(existsSync(join(world.folder, '.tidemark'))).toBe(false)
  })

  test.each([
    ['that does not answer', 'postgres://me:secret@127.0.0.1:1/x', 'postgres://127.0.0.1:1/x does not answer'],
    ['in a folder where nothing can be written', '/proc/nowhere/db', 'cannot be kept in /proc/nowhere/db'],
    ['of a kind that is not known', 'mysql://me:secret@host/x', 'neither Postgres nor a folder'],
  ])('exits 1 for a database %s, and shows no password', async (_, database, message) => {
    using world = await cliWorld()
    world.write('tidemark.yaml', 'sources: { docs: { repo: docs } }')
    const { exitCode, stdout, stderr } = await world.run('sync --all', { DATABASE_URL: database })
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
    expect(stderr).toContain(message)
    expect(stderr).not.toContain('secret')
    expect(stderr.trim().split('\n')).toHaveLength(2)
  })

  test('blocks a mass deletion with exit code 3 until it is allowed', async () => {
    using world = await cliWorld()
    const { docs, yaml } = twoSources()
    world.write('tidemark.yaml', yaml)
    await world.run(`sync --source ${docs}`)
    world.write('tidemark.yaml', `sources: { ${docs}: { repo: docs, subpath: elsewhere } }`)
    const blocked = await world.run(`sync --source ${docs}`)
    expect(blocked).toMatchObject({ exitCode: 3, stdout: expect.stringContaining('blocked (mass_delete)') })
    expect(blocked.stderr).toContain('3 of 3 pages would be deleted')
    expect(blocked.stderr).toContain('--allow-mass-delete')
    expect(await world.run(`sync --source ${docs} --allow-mass-delete`)).toMatchObject({ exitCode: 0 })
  })

  test('mirrors a source behind an address, selected by patterns', async () => {
    using world = await cliWorld()
    const { docs } = twoSources()
    world.write('tidemark.yaml', 'sources:\n')
    const added = await world.run(
      `sources add ${docs} file://${world.folder}/vite.git --ref main --subpath docs --exclude /docs/config/ *.md.txt`,
    )
    expect(added).toMatchObject({ exitCode: 0, stderr: '' })
    const { stdout } = await world.run('sync --all --json')
    expect(JSON.parse(stdout).results).toMatchObject([{ source: docs, status: 'first_sync' }])
    expect(existsSync(join(world.folder, '.tidemark', 'clones', `${docs}.git`, 'HEAD'))).toBe(true)
    expect((await world.run('status')).stdout).toContain('up to date')
  })

  test('takes user@host:path for an address and not for a folder', async () => {
    using world = await cliWorld()
    world.write('tidemark.yaml', 'sources: { docs: { repo: "git@example.org:team/docs.git" } }')
    expect((await world.run('sources list')).stdout).toMatch(/docs +git@example\.org:team\/docs\.git +HEAD/)
  })

  test('tells a second process that an embedded database is in use, and by whom', {
    timeout: 180_000,
  }, async () => {
    using world = await cliWorld()
    world.write('tidemark.yaml', 'sources: { docs: { repo: docs } }')
    const holder = await openDatabase(join(world.folder, '.tidemark/db'))
    const { exitCode, stderr } = await world.run('sync --all', { DATABASE_URL: undefined })
    await holder.close()
    expect(stderr).toMatch(/The embedded database in .* is in use by process \d+/)
    expect(exitCode).toBe(4)
  })
})
