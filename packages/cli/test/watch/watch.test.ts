import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, existsSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { freshDatabase, startPostgresServer } from '@tidemark/test-engines'
import { serveEmbeddings } from '@tidemark/test-engines/embedding-server'
import { serveGit } from '@tidemark/test-engines/git-server'
import pg from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type CliWorld, cliWorld, freshName, heldBack } from '../world/cli-world.ts'

/** A watch that runs, with its log line by line. */
function watching(world: CliWorld, flags = '', env: Record<string, string> = {}) {
  const child = world.start(`watch ${flags}`.trim(), env)
  onTestFinished(() => void child.kill('SIGKILL'))
  const log: string[] = []
  const lines = createInterface(child.stderr)
  lines.on('line', (line) => log.push(line))
  return {
    child,
    log,
    /** Resolves to the first line that matches, of those that are there or come. */
    async logged(pattern: RegExp): Promise<string> {
      for (;;) {
        const found = log.find((line) => pattern.test(line))
        if (found !== undefined) return found
        await Promise.race([
          once(lines, 'line'),
          child.then(({ exitCode }) => Promise.reject(new Error(`ended with ${exitCode}: ${log.join('\n')}`))),
        ])
      }
    },
    async url(): Promise<string> {
      return (await this.logged(/listening on/)).replace(/.*(http:\S+)$/, '$1')
    },
  }
}

async function pagesOf(world: CliWorld, id: string): Promise<string[]> {
  const client = new pg.Client(world.database)
  await client.connect()
  const { rows } = await client.query('SELECT path FROM tidemark.pages WHERE source_id = $1 ORDER BY path', [id])
  await client.end()
  return rows.map(({ path }) => path)
}

describe('tidemark watch', () => {
  test('brings in a commit of a repository on this machine without being told', async () => {
    using world = await cliWorld()
    const id = freshName()
    world.write('tidemark.yaml', `sources: { ${id}: { repo: docs } }`)
    const { child, logged } = watching(world)
    await logged(new RegExp(`${id} +first_sync \\+3`))
    world.write('docs/d.md', '# d')
    await world.commit('docs')
    await logged(new RegExp(`${id} +synced \\+1`))
    expect(await pagesOf(world, id)).toEqual(['a.md', 'b.md', 'c.md', 'd.md'])
    // Refs that git has packed, and a branch in a folder of its own.
    await world.git('docs').raw('pack-refs', '--all')
    world.write('docs/e.md', '# e')
    await world.commit('docs')
    await expect.poll(() => pagesOf(world, id), { timeout: 30_000 }).toContain('e.md')
    child.kill('SIGTERM')
    expect((await child).exitCode).toBe(143)
  })

  test('brings in what a signed hook tells, and answers at once while the server of it hangs', async () => {
    using world = await cliWorld()
    const id = freshName()
    const server = await serveGit(`${world.folder}/docs/.git`)
    onTestFinished(() => server.close())
    world.write('tidemark.yaml', `hooks: { github: '\${SECRET}' }\nsources: { ${id}: { repo: '${server.url}' } }`)
    const watch = watching(world, '--listen 0', { SECRET: 'word' })
    const url = await watch.url()
    await watch.logged(new RegExp(`${id} +first_sync \\+3`))
    world.write('docs/d.md', '# d')
    await world.commit('docs')
    const body = JSON.stringify({ repository: { clone_url: server.url } })
    const signature = `sha256=${createHmac('sha256', 'word').update(body).digest('hex')}`
    const post = (headers: Record<string, string>) => fetch(`${url}/hooks/github`, { method: 'POST', body, headers })
    expect((await post({})).status).toBe(401)
    const response = await post({ 'x-hub-signature-256': signature })
    expect([response.status, await response.json()]).toEqual([202, { woken: [id] }])
    await watch.logged(new RegExp(`${id} +synced \\+1`))

    server.mood = 'hang'
    const asked = server.requested()
    expect((await post({ 'x-hub-signature-256': signature })).status).toBe(202)
    await asked
    for (let i = 0; i < 100; i++) expect((await post({ 'x-hub-signature-256': signature })).status).toBe(202)
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ ok: true })
    watch.child.kill('SIGTERM')
    expect((await watch.child).exitCode).toBe(143)
    expect(watch.log.join('\n')).not.toContain('word')
  })

  test('answers what Prometheus and a readiness probe ask', async () => {
    using world = await cliWorld()
    const id = freshName()
    world.write('tidemark.yaml', `sources: { ${id}: { repo: docs } }`)
    const watch = watching(world, '--listen 0')
    const url = await watch.url()
    await watch.logged(new RegExp(`${id} +first_sync`))
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    const response = await fetch(`${url}/metrics`)
    const text = await response.text()
    expect(response.headers.get('content-type')).toContain('openmetrics-text')
    expect(text).toContain(`tidemark_source_pages{source="${id}"} 3`)
    expect(text).toContain(`tidemark_watch_sync_duration_seconds_count{source="${id}",status="first_sync"} 1`)
    expect(text.trimEnd().endsWith('# EOF')).toBe(true)
    expect((await fetch(`${url}/hooks/github`, { method: 'POST', body: '{}' })).status).toBe(404)
    expect((await fetch(`${url}/other`)).status).toBe(404)
  })

  test('stops as partial on SIGTERM in the middle of a sync, and gives back its leases', async () => {
    using world = await cliWorld()
    const vite = freshName('vite')
    world.write('tidemark.yaml', `sources: { ${vite}: { repo: vite.git, ref: main } }`)
    await using held = await heldBack(world, 1)
    const { child, logged } = watching(world)
    await held.waiting(1)
    child.kill('SIGTERM')
    expect((await child).exitCode).toBe(143)
    await logged(new RegExp(`${vite} +partial`)).catch(() => {})
    await held.free(vite)
    await held.letGo()
  })

  test('reads its configuration again on SIGHUP, and keeps the old one where that is wrong', async () => {
    using world = await cliWorld()
    const [one, other] = [freshName(), freshName()]
    world.write('tidemark.yaml', `sources: { ${one}: { repo: docs } }`)
    const { child, logged } = watching(world)
    await logged(new RegExp(`${one} +first_sync`))
    world.write('tidemark.yaml', `sources: { ${one}: { repo: docs, branch: x } }`)
    child.kill('SIGHUP')
    await logged(/the configuration stays as it was: .*unknown key "branch"/)
    world.write('docs/d.md', '# d')
    await world.commit('docs')
    await logged(new RegExp(`${one} +synced \\+1`))
    world.write('tidemark.yaml', `sources: { ${other}: { repo: vite.git, ref: main } }`)
    child.kill('SIGHUP')
    await logged(new RegExp(`${other} +first_sync \\+84`))
    world.write('docs/e.md', '# e')
    await world.commit('docs')
    child.kill('SIGTERM')
    expect((await child).exitCode).toBe(143)
    expect(await pagesOf(world, one)).not.toContain('e.md')
  })

  test('has embedded what it has synced, on an embedded database too', { timeout: 120_000 }, async () => {
    const [server, database] = [await serveEmbeddings(), await freshDatabase('pglite')]
    onTestFinished(async () => {
      await server.close()
      await database.drop()
    })
    using world = await cliWorld(database.url)
    world.write(
      'tidemark.yaml',
      `embed: true\nembedding: { url: '${server.url}', model: m }\nsources: { docs: { repo: docs } }`,
    )
    const { child, logged } = watching(world)
    await logged(/docs +first_sync \+3/)
    await logged(/docs +synced, 3 chunks embedded/)
    world.write('docs/d.md', '# d')
    await world.commit('docs')
    await logged(/docs +synced, 1 chunks embedded/)
    child.kill('SIGTERM')
    expect((await child).exitCode).toBe(143)
  })

  test('tells systemd that it is ready, that it lives and that it stops', async () => {
    using world = await cliWorld()
    const id = freshName()
    world.write('tidemark.yaml', `sources: { ${id}: { repo: docs } }`)
    world.write('bin/systemd-notify', '#!/bin/sh\necho "$@" >> told\n')
    chmodSync(`${world.folder}/bin/systemd-notify`, 0o755)
    const told = () =>
      existsSync(`${world.folder}/told`) ? readFileSync(`${world.folder}/told`, 'utf8').split('\n') : []
    const env = {
      PATH: `${world.folder}/bin:${process.env.PATH}`,
      NOTIFY_SOCKET: '/run/notify',
      WATCHDOG_USEC: '300000',
    }
    const { child, logged } = watching(world, '', env)
    await logged(new RegExp(`${id} +first_sync`))
    await expect.poll(told).toEqual(expect.arrayContaining(['--ready --status=watching', 'WATCHDOG=1']))
    child.kill('SIGTERM')
    expect((await child).exitCode).toBe(143)
    await expect.poll(told).toContain('--stopping')
  })

  test('syncs in processes of their own where it is told to', async () => {
    using world = await cliWorld()
    const [id, gone] = [freshName(), freshName('gone')]
    world.write('tidemark.yaml', `sources: { ${id}: { repo: docs }, ${gone}: { repo: nowhere } }`)
    const { child, logged } = watching(world, '--independent')
    await logged(new RegExp(`${id} +first_sync \\+3`))
    await logged(new RegExp(`${gone} +failed`))
    child.kill('SIGINT')
    expect((await child).exitCode).toBe(130)
  })

  test.each([
    ['--listen nowhere:x', 'Give a port, or host:port'],
    ['--listen 8080:8080:8080', 'Give a port'],
    ['--json', 'watch prints no document'],
    ['--timeout 0', 'duration'],
    ['--ping http://localhost/x', 'unknown option'],
  ])('%s is refused', async (flags, message) => {
    using world = await cliWorld()
    world.write('tidemark.yaml', `sources: { docs: { repo: docs } }`)
    const { exitCode, stderr } = await world.run(`watch ${flags}`)
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining(message) })
  })

  test('that has nothing to watch, or embeds with nobody, says so', async () => {
    using world = await cliWorld()
    world.write('tidemark.yaml', 'sources: {}')
    expect(await world.run('watch')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('has no sources') })
    world.write('tidemark.yaml', 'embed: true\nsources: { docs: { repo: docs } }')
    expect(await world.run('watch')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('nothing says who embeds'),
    })
  })
})

test('a watch waits for a database that is not there yet, and goes on when it was away', {
  timeout: 120_000,
}, async () => {
  const server = await startPostgresServer()
  onTestFinished(() => server.stop())
  using world = await cliWorld(server.url)
  world.write('tidemark.yaml', `every: 10s\nsources: { docs: { repo: docs } }`)
  let watch!: ReturnType<typeof watching>
  await server.whileStopped(async () => {
    watch = watching(world, '--listen 0')
    const url = await watch.url()
    await watch.logged(/does not answer/)
    expect((await fetch(`${url}/readyz`)).status).toBe(503)
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  })
  const url = await watch.url()
  await watch.logged(/docs +first_sync \+3/)
  await expect.poll(async () => (await fetch(`${url}/readyz`)).status).toBe(200)
  await server.whileStopped(async () => {
    await expect.poll(async () => (await fetch(`${url}/readyz`)).status, { timeout: 20_000 }).toBe(503)
    expect((await fetch(`${url}/metrics`)).status).toBe(200)
    world.write('docs/d.md', '# d')
    await world.commit('docs')
  })
  await watch.logged(/docs +synced \+1/)
  watch.child.kill('SIGTERM')
  expect((await watch.child).exitCode).toBe(143)
})
