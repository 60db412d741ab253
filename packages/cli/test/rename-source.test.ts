import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { serveGit } from '@tidemark/test-engines/git-server'
import { expect, onTestFinished, test } from 'vitest'
import { cliWorld, freshName } from './world/cli-world.ts'
import { query } from './world/query.ts'

/** A source that is synced, in a file with comments. */
async function synced(repo = 'docs') {
  const world = await cliWorld()
  onTestFinished(() => world[Symbol.dispose]())
  const [from, to] = [freshName(), freshName('renamed')]
  const written = `# ours\nsources:\n  # the first\n  ${from}: { repo: "${repo}", ref: main } # pinned\n`
  world.write('tidemark.yaml', written)
  expect(await world.run('sync --all')).toMatchObject({ exitCode: 0 })
  const read = () => readFileSync(join(world.folder, 'tidemark.yaml'), 'utf8')
  return { world, from, to, written, read }
}

test('a source is renamed in the configuration and the database, and nothing is imported again', async () => {
  const { world, from, to, written, read } = await synced()
  const renamed = await world.run(`sources rename ${from} ${to} --json`)
  expect(renamed.exitCode).toBe(0)
  expect(JSON.parse(renamed.stdout)).toMatchObject({ version: 1, renamed: to, from })
  expect(read()).toBe(written.replace(from, to))
  const [result] = JSON.parse((await world.run('sync --all --json')).stdout).results
  expect(result).toMatchObject({ source: to, status: 'up_to_date', blobsRead: 0 })
  expect(await world.run(`show ${to}:a.md`)).toMatchObject({ exitCode: 0 })
  expect((await world.run(`runs --source ${to}`)).stdout).toContain('first_sync')
  const [status] = JSON.parse((await world.run('status --json')).stdout).sources
  expect(status).toMatchObject({ id: to, state: 'up_to_date', problems: [] })
})

test('what was fetched from a server serves the new name', async () => {
  const first = await cliWorld()
  const git = await serveGit(join(first.folder, 'docs'))
  onTestFinished(async () => {
    await git.close()
    first[Symbol.dispose]()
  })
  const { world, from, to } = await synced(`${git.url}/.git`)
  await world.run(`sources rename ${from} ${to}`)
  const clone = (id: string) => join(world.folder, '.tidemark', 'clones', `${id}.git`)
  expect([existsSync(clone(from)), existsSync(clone(to))]).toEqual([false, true])
})

test('a rename that was stopped before the configuration was written goes on', async () => {
  const { world, from, to, written, read } = await synced()
  await world.run(`sources rename ${from} ${to}`)
  world.write('tidemark.yaml', written)
  await query(
    world.database,
    `UPDATE tidemark.sources SET fingerprint = 'renamed from ${from}: ' || fingerprint WHERE id = '${to}'`,
  )
  expect(await world.run(`sources rename ${from} ${to}`)).toMatchObject({ exitCode: 0 })
  expect(read()).toBe(written.replace(from, to))
  expect((await world.run('sync --all')).stdout).toContain('up_to_date')
})

test('a rename is refused for a name that is taken in either place, no name, or no source', async () => {
  const { world, from, to, written, read } = await synced()
  world.write('tidemark.yaml', `${written}  ${to}: { repo: docs }\n`)
  expect(await world.run(`sources rename ${from} ${to}`)).toMatchObject({ exitCode: 2 })
  await world.run('sync --all')
  world.write('tidemark.yaml', written)
  for (const [names, message] of [
    [`${from} ${to}`, `there is a source "${to}" already in postgres://`],
    [`${from} -x`, ''],
    [`${from} a/b`, 'cannot be the name of a source'],
    ['nothing else', 'there is no source "nothing"'],
  ]) {
    const refused = await world.run(`sources rename ${names}`)
    expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(message!) })
  }
  expect(read()).toBe(written)
})

test('a rename or a removal is busy while a sync runs', async () => {
  const { world, from, to, written, read } = await synced()
  await query(
    world.database,
    `UPDATE tidemark.locks SET holder_id = 'other', holder_host = 'elsewhere', holder_pid = 4711, attempt_id = gen_random_uuid(),
       last_refreshed_at = now(), expires_at = now() + interval '1 hour' WHERE key = 'sync:${from}'`,
  )
  for (const command of [`rename ${from} ${to}`, `remove ${from} --purge --yes`]) {
    const busy = await world.run(`sources ${command}`)
    expect(busy).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('process 4711 on elsewhere') })
  }
  expect(read()).toBe(written)
})
