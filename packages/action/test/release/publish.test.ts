import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { PACKAGE } from '../world/runner.ts'

/** A registry for npm itself to talk to, and a folder of packages that are packed. */
async function registryWorld() {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-publish-'))
  const documents = new Map<string, { versions: Record<string, unknown> }>()
  const published: string[] = []
  /** Names that it answers with a fault. */
  const broken = new Set<string>()
  const server = createServer(async (request, response) => {
    const answer = (status: number, body: unknown) => response.writeHead(status).end(JSON.stringify(body))
    const name = decodeURIComponent(new URL(request.url!, 'http://registry').pathname.slice(1))
    if (broken.has(name)) return answer(500, { error: 'out of order' })
    const document = documents.get(name)
    if (request.method === 'GET') return document ? answer(200, document) : answer(404, { error: 'Not found' })
    const put = JSON.parse(await text(request))
    const [version] = Object.keys(put.versions)
    if (document?.versions[version!]) return answer(403, { error: 'cannot publish over it' })
    documents.set(name, { ...put, versions: { ...document?.versions, ...put.versions } })
    published.push(`${name}@${version}`)
    answer(201, { ok: true })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const userconfig = join(folder, 'npmrc')
  writeFileSync(userconfig, `registry=http://${host}/\n//${host}/:_authToken=t\nfetch-retries=0\n`)
  const env = {
    npm_config_userconfig: userconfig,
    npm_config_cache: join(folder, 'cache'),
    npm_config_provenance: 'false',
  }
  const packed = join(folder, 'packed')
  return {
    published,
    broken,
    async pack(name: string, version: string, dependencies: Record<string, string> = {}) {
      const home = mkdtempSync(join(folder, 'package-'))
      writeFileSync(join(home, 'package.json'), JSON.stringify({ name, version, dependencies }))
      mkdirSync(packed, { recursive: true })
      await execa('npm', ['pack', '--pack-destination', packed], { cwd: home, env })
    },
    publish: () =>
      execa('node', [join(PACKAGE, 'release/publish.ts'), packed], { env, cwd: folder, reject: false, all: true }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      rmSync(folder, { recursive: true })
    },
  }
}

describe('publishing', () => {
  test('goes on after half a failure, with what others need first and what is published passed over', async () => {
    await using world = await registryWorld()
    await world.pack('a-command', '1.0.0', { '@me/core': '1.0.0', 'z-lock': '1.0.0' })
    await world.pack('@me/core', '1.0.0', { 'z-lock': '1.0.0' })
    await world.pack('z-lock', '1.0.0')

    world.broken.add('@me/core')
    expect(await world.publish()).toMatchObject({
      exitCode: 1,
      all: expect.stringContaining('It is not known whether @me/core@1.0.0 is published. Run this again.'),
    })
    expect(world.published).toEqual(['z-lock@1.0.0'])

    world.broken.clear()
    expect(await world.publish()).toMatchObject({ exitCode: 0 })
    expect(world.published).toEqual(['z-lock@1.0.0', '@me/core@1.0.0', 'a-command@1.0.0'])

    const { exitCode, stdout } = await world.publish()
    expect(exitCode).toBe(0)
    expect(stdout.match(/is published already/g)).toHaveLength(3)
    expect(world.published).toHaveLength(3)
  })

  test('gives a package that the registry knows its next version', async () => {
    await using world = await registryWorld()
    await world.pack('z-lock', '1.0.0')
    await world.publish()
    await world.pack('z-lock', '1.0.1')
    expect(await world.publish()).toMatchObject({ exitCode: 0 })
    expect(world.published).toEqual(['z-lock@1.0.0', 'z-lock@1.0.1'])
  })

  test('of an empty folder is a mistake', async () => {
    await using world = await registryWorld()
    expect(await world.publish()).toMatchObject({ exitCode: 1, all: expect.stringContaining('There is no package in') })
  })
})
