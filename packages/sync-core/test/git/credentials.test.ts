import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serveGit } from '@tidemark/test-engines/git-server'
import { commandLines } from '@tidemark/test-engines/processes'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { parseAddress } from '../../src/git/address.ts'
import { remoteOrigin } from '../../src/git/remote.ts'
import { emptyRepository } from '../world/test-repository.ts'

const repository = await emptyRepository()
const commit = await repository.commit({ 'a.md': 'a' })
const server = await serveGit(repository.folder)
const home = mkdtempSync(join(tmpdir(), 'tidemark-credentials-'))
afterAll(async () => {
  await server.close()
  repository.remove()
  rmSync(home, { recursive: true })
})
beforeEach(() => vi.stubEnv('GIT_CONFIG_GLOBAL', '/dev/null'))
afterEach(() => {
  vi.unstubAllEnvs()
  Object.assign(server, { mood: 'serve', username: 'me', password: null })
})

const { signal } = new AbortController()
const withUser = (userinfo: string, url = `${server.url}/.git`) => url.replace('://', `://${userinfo}@`)
const resolve = (repo: string, stop = signal) => remoteOrigin(repo, 'main', join(home, 'clone')).resolveCommit(stop)

/** Gives git of this test the helper of a user: a script that is told what to do by its argument. */
function useHelper(script: string): void {
  const file = join(home, 'helper')
  writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  const config = join(home, 'gitconfig')
  writeFileSync(config, `[credential]\n\thelper = ${file}\n`)
  vi.stubEnv('GIT_CONFIG_GLOBAL', config)
}

/** A server that sends its callers on, or asks them who they are where it has no other address. */
async function redirecting(to: (request: IncomingMessage) => string | null, seen: [string, string | undefined][]) {
  const http = createServer((request, response) => {
    seen.push([`${url}${request.url}`, request.headers.authorization])
    const location = to(request)
    if (location === null) response.writeHead(401, { 'www-authenticate': 'Basic realm="other"' }).end()
    else response.writeHead(302, { location }).end()
  }).listen(0, '127.0.0.1')
  await once(http, 'listening')
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  return { url, close: () => http.close() }
}

describe('an address', () => {
  test.each([
    ['a token alone', 'cr3dential', 'cr3dential', ''],
    ['a token and an empty password', 'cr3dential:', 'cr3dential', ''],
    ['a user and a password', 'me:cr3dential', 'me', 'cr3dential'],
    ['what is percent-encoded', 'm%40e%2F:p%3A%2F%40%25%20cr3dential', 'm@e/', 'p:/@% cr3dential'],
    ['letters of any language', 'm%C3%BCller:stra%C3%9Fe', 'müller', 'straße'],
    ['such letters as they are', 'müller:straße', 'müller', 'straße'],
    ['a percent sign that begins no code', 'me:100%cr3dential', 'me', '100%cr3dential'],
    ['what a shell would take apart', 'me:\'$(id)`id`"%5C*', 'me', '\'$(id)`id`"\\*'],
  ])('with %s is read with it, and nothing shows it', async (_, userinfo, username, password) => {
    Object.assign(server, { username, password })
    const repo = withUser(userinfo)
    expect(await resolve(repo)).toBe(commit)
    const { folder } = await remoteOrigin(repo, 'main', join(home, 'clone')).prepare(signal)
    expect(readFileSync(join(folder, 'config'), 'utf8')).not.toMatch(/cr3dential|stra/)

    server.mood = 'hang'
    const [stop, requested] = [new AbortController(), server.requested()]
    const hanging = resolve(repo, stop.signal).catch(() => {})
    await requested
    expect(commandLines().join('\n')).toContain('git-remote-http')
    expect(commandLines().join('\n')).not.toMatch(/cr3dential|stra(ß|%)/)
    stop.abort()
    await hanging

    Object.assign(server, { mood: 'serve', password: 'another' })
    const refused = await resolve(repo).catch((error) => error)
    expect(refused.code).toBe('FETCH_REFUSED')
    expect(`${refused.message} ${refused.hint} ${refused.cause}`).not.toMatch(/cr3dential|stra/)
  })

  test('with a user alone is read with the password that a helper knows, before it is taken for a token', async () => {
    useHelper('grep -q username=alice && echo password=known || true')
    Object.assign(server, { username: 'alice', password: 'known' })
    expect(await resolve(withUser('alice'))).toBe(commit)
    Object.assign(server, { username: 'cr3dential', password: '' })
    expect(await resolve(withUser('cr3dential'))).toBe(commit)
  })

  test.each(['cr3dential', 'cr3dential:', 'me:cr3dential'])(
    'with %s gives no helper of the user anything to keep',
    async (userinfo) => {
      const log = join(home, 'helper.log')
      writeFileSync(log, '')
      useHelper(`echo "$1" >> '${log}'`)
      const [username = '', password = ''] = userinfo.split(':')
      Object.assign(server, { username, password })
      expect(await resolve(withUser(userinfo))).toBe(commit)
      expect(readFileSync(log, 'utf8')).not.toMatch(/store|erase/)
    },
  )

  test('gives its credentials to no server that it is sent on to', async () => {
    const seen: (string | undefined)[] = []
    const other = createServer((request, response) => {
      seen.push(request.headers.authorization)
      response.writeHead(401, { 'www-authenticate': 'Basic realm="other"' }).end()
    }).listen(0, '127.0.0.1')
    const first = createServer((request, response) => {
      const { port } = other.address() as AddressInfo
      response.writeHead(302, { location: `http://127.0.0.1:${port}${request.url}` }).end()
    }).listen(0, '127.0.0.1')
    await Promise.all([other, first].map((each) => each.listening || once(each, 'listening')))
    const url = `http://127.0.0.1:${(first.address() as AddressInfo).port}/docs.git`

    await expect(resolve(withUser('me:cr3dential', url))).rejects.toMatchObject({ code: 'FETCH_REFUSED' })

    expect(seen).not.toEqual([])
    expect(seen.filter(Boolean)).toEqual([])
    for (const each of [other, first]) each.close()
  })

  test('is asked for by its new name on the same host, with its credentials on the same port only', async () => {
    const seen: [string, string | undefined][] = []
    const other = await redirecting(() => null, seen)
    const first = await redirecting(({ url = '', headers }) => {
      if (url.startsWith('/old/')) return url.replace('/old/', '/new/')
      if (url.startsWith('/away/')) return `${other.url}${url}`
      return headers.authorization ? `${server.url}${url.replace(/^.new.docs.git/, '/.git')}` : null
    }, seen)

    const moved = remoteOrigin(withUser('me:cr3dential', `${first.url}/old/docs.git`), 'main', join(home, 'moved'))
    expect((await moved.prepare(signal)).commit).toBe(commit)
    await moved.fetchBlobs!(['0'.repeat(40)], signal).catch(() => {})
    await expect(resolve(withUser('me:cr3dential', `${first.url}/away/docs.git`))).rejects.toMatchObject({
      code: 'FETCH_REFUSED',
    })

    expect(seen.filter(([url]) => url.startsWith(other.url))).not.toEqual([])
    expect(seen.filter(([url, login]) => url.startsWith(other.url) && login !== undefined)).toEqual([])
    for (const each of [other, first]) each.close()
  })

  test('is not followed to another host, which is not asked for anything', async () => {
    const seen: [string, string | undefined][] = []
    const other = await redirecting(() => null, seen)
    const first = await redirecting(({ url }) => `${other.url.replace('127.0.0.1', 'localhost')}${url}`, [])

    const refused = await resolve(withUser('me:cr3dential', `${first.url}/docs.git`)).catch((error) => error)

    expect(refused).toMatchObject({ code: 'FETCH_REDIRECTED', message: expect.stringContaining('localhost') })
    expect(`${refused.message} ${refused.hint}`).not.toContain('cr3dential')
    expect(seen).toEqual([])
    for (const each of [other, first]) each.close()
  })

  test('whose server says what it was given is told without that', async () => {
    const login = Buffer.from('me:p/cr3dential').toString('base64')
    const echo = createServer((_, response) => {
      const body = `p/cr3dential p%2Fcr3dential ${login} is not let in`
      response.writeHead(403, { 'content-type': 'text/plain' }).end(body)
    }).listen(0, '127.0.0.1')
    await once(echo, 'listening')
    const url = `http://127.0.0.1:${(echo.address() as AddressInfo).port}/docs.git`
    const refused = await resolve(withUser('me:p%2Fcr3dential', url)).catch((error) => error)
    expect(refused.message).toContain('*** *** *** is not let in')
    expect(`${refused.message} ${refused.hint}`).not.toContain('cr3dential')
    echo.close()
  })

  test('of ssh with a password is no argument of ssh with it', () => {
    expect(parseAddress('ssh://git:cr3dential@example.org:22/docs.git')?.url).toBe('ssh://git@example.org:22/docs.git')
  })

  test('whose password has the end of a line in it is not read: a helper could not say it', () => {
    expect(parseAddress('https://me:a%0Ahost=b@example.org/docs.git')).toBeNull()
  })
})
