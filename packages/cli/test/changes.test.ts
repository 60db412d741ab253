import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { type CliWorld, cliWorld, freshName } from './world/cli-world.ts'

/** A world with one source of three pages that is in. */
async function synced(): Promise<{ world: CliWorld; id: string }> {
  const world = await cliWorld()
  const id = freshName()
  world.write('tidemark.yaml', `sources: { ${id}: { repo: docs } }`)
  await world.run(`sync --source ${id}`)
  return { world, id }
}

const read = async (world: CliWorld, args: string) => JSON.parse((await world.run(`changes ${args} --json`)).stdout)

test('changes lists what is new since a cursor, and prints the call that goes on', async () => {
  const { world, id } = await synced()
  using _ = world
  const { cursor } = await read(world, `--source ${id}`)
  world.write('docs/d.md', '# d')
  const commit = await world.commit('docs')
  await world.run(`sync --source ${id}`)

  const { stdout, stderr, exitCode } = await world.run(`changes --source ${id} --after ${cursor}`)

  expect(exitCode).toBe(0)
  expect(stdout.split('\n')[1]).toMatch(new RegExp(`^\\d{16} +add +d\\.md +${commit.slice(0, 10)}`))
  const next = /Go on with: tidemark (changes .*)/.exec(stderr)![1]!
  expect((await world.run(next)).stdout).toBe('')
})

test('changes --limit and --with content give part of the list, and what pages hold', async () => {
  const { world, id } = await synced()
  using _ = world
  const first = await read(world, `--source ${id} --limit 2 --with content`)
  expect(first).toMatchObject({
    version: 1,
    changes: [{ change: 'add', path: 'a.md', page: { title: 'a', chunks: [{ content: '# a' }] } }, { path: 'b.md' }],
  })
  expect((await read(world, `--source ${id} --limit 2 --after ${first.cursor}`)).changes).toMatchObject([
    { path: 'c.md' },
  ])
})

test('changes of a source that was never synced are none, and of one that is not configured refused', async () => {
  using world = await cliWorld()
  const id = freshName('never')
  world.write('tidemark.yaml', `sources: { ${id}: { repo: docs } }`)
  expect(await read(world, `--source ${id}`)).toEqual({ version: 1, changes: [], cursor: '0' })
  const env = { DATABASE_URL: `${world.folder}/none` }
  expect(JSON.parse((await world.run(`changes --source ${id} --json`, env)).stdout)).toMatchObject({ changes: [] })
  expect(await world.run('changes --source other')).toMatchObject({ exitCode: 2 })
  expect(await world.run('changes')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--source') })
})

test('changes after a cursor that has expired fails and says how to begin anew, as does one that is none', async () => {
  const { world, id } = await synced()
  using _ = world
  expect(await world.run(`changes --source ${id} --after 7`)).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/has expired.*\n.*read all changes after 0/),
  })
  expect((await read(world, `--source ${id} --after 7`)).error).toMatchObject({ code: 'CURSOR_EXPIRED' })
  const refused = await world.run(`changes --source ${id} --after x`)
  expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('"x" is not a cursor') })
})

test('changes --follow prints each list as it comes, and ends by its signal', async () => {
  const { world, id } = await synced()
  using _ = world
  const following = world.start(`changes --source ${id} --follow --json`)
  const lines = createInterface(following.stdout)
  const first = JSON.parse(String(await once(lines, 'line')))
  expect(first.changes).toHaveLength(3)
  const next = once(lines, 'line')
  world.write('docs/a.md', '# changed')
  await world.commit('docs')
  await world.run(`sync --source ${id}`)
  expect(JSON.parse(String(await next))).toMatchObject({
    version: 1,
    changes: [{ change: 'update', path: 'a.md' }],
  })
  following.kill('SIGTERM')
  expect((await following).exitCode).toBe(143)
})

test('changes --follow is refused on an embedded database, which nobody else could write meanwhile', async () => {
  using world = await cliWorld()
  world.write('tidemark.yaml', 'sources: { docs: { repo: docs } }')
  const refused = await world.run('changes --source docs --follow', { DATABASE_URL: `${world.folder}/db` })
  expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('belongs to one process') })
})

test('prune forgets what was deleted longer ago than it is told, or the configuration says', async () => {
  const { world, id } = await synced()
  using _ = world
  const { cursor } = await read(world, `--source ${id}`)
  await world.git('docs').rm('a.md')
  await world.commit('docs')
  await world.run(`sync --source ${id}`)

  expect((await world.run(`prune --source ${id}`)).stdout).toBe(
    `${id}: forgot 0 deleted or renamed pages older than 30d.`,
  )
  expect((await read(world, `--source ${id} --after ${cursor}`)).changes).toMatchObject([{ change: 'delete' }])
  await world.run(`prune --source ${id} --keep 1h`)
  expect((await read(world, `--source ${id} --after ${cursor}`)).changes).toHaveLength(1)
  world.write('tidemark.yaml', `keepDeleted: 1s\nsources: { ${id}: { repo: docs } }`)
  const pruned = async () => JSON.parse((await world.run('prune --json')).stdout).results
  await expect.poll(pruned, { timeout: 20_000 }).toEqual([{ source: id, pruned: 1 }])
  expect((await read(world, `--source ${id} --after ${cursor}`)).error).toMatchObject({ code: 'CURSOR_EXPIRED' })
})
