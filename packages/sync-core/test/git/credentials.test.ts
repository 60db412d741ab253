import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serveGit } from '@tidemark/test-engines/git-server'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { parseAddress } from '../../src/git/address.ts'
import { remoteOrigin } from '../../src/git/remote.ts'
import { commandLines } from '../world/processes.ts'
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

describe('an address', () => {
  test.each([
    ['a token alone', 's3cret', 's3cret', ''],
    ['a token and an empty password', 's3cret:', 's3cret', ''],
    ['a user and a password', 'me:s3cret', 'me', 's3cret'],
    ['what is percent-encoded', 'm%40e%2F:p%3A%2F%40%25%20s3cret', 'm@e/', 'p:/@% s3cret'],
    ['letters of any language', 'm%C3%BCller:stra%C3%9Fe', 'müller', 'straße'],
    ['such letters as they are', 'müller:straße', 'müller', 'straße'],
    ['a percent sign that begins no code', 'me:100%s3cret', 'me', '100%s3cret'],
    ['what a shell would take apart', 'me:\'$(id)`id`"%5C*', 'me', '\'$(id)`id`"\\*'],
  ])('with %s is read with it, and nothing shows it', async (_, userinfo, username, password) => {
    Object.assign(server, { username, password })
    const repo = withUser(userinfo)
    expect(await resolve(repo)).toBe(commit)
    const { folder } = await remoteOrigin(repo, 'main', join(home, 'clone')).prepare(signal)
    expect(readFileSync(join(folder, 'config'), 'utf8')).not.toMatch(/s3cret|stra/)

    server.mood = 'hang'
    const [stop, requested] = [new AbortController(), server.requested()]
    const hanging = resolve(repo, stop.signal).catch(() => {})
    await requested
    expect(commandLines().join('\n')).toContain('git-remote-http')
    expect(commandLines().join('\n')).not.toMatch(/s3cret|stra(ß|%)/)
    stop.abort()
    await hanging

    Object.assign(server, { mood: 'serve', password: 'another' })
    const refused = await resolve(repo).catch((error) => error)
    expect(refused.code).toBe('FETCH_REFUSED')
    expect(`${refused.message} ${refused.hint} ${refused.cause}`).not.toMatch(/s3cret|stra/)
  })

  test('with a user alone is read with the password that a helper knows, before it is taken for a token', async () => {
    useHelper('grep -q username=alice && echo password=known || true')
    Object.assign(server, { username: 'alice', password: 'known' })
    expect(await resolve(withUser('alice'))).toBe(commit)
    Object.assign(server, { username: 's3cret', password: '' })
    expect(await resolve(withUser('s3cret'))).toBe(commit)
  })

  test.each(['s3cret', 's3cret:', 'me:s3cret'])(
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

    await expect(resolve(withUser('me:s3cret', url))).rejects.toMatchObject({ code: 'FETCH_REFUSED' })

    expect(seen).not.toEqual([])
    expect(seen.filter(Boolean)).toEqual([])
    for (const each of [other, first]) each.close()
  })

  test('of ssh with a password is no argument of ssh with it', () => {
    expect(parseAddress('ssh://git:s3cret@example.org:22/docs.git')?.url).toBe('ssh://git@example.org:22/docs.git')
  })

  test('whose password has the end of a line in it is not read: a helper could not say it', () => {
    expect(parseAddress('https://me:a%0Ahost=b@example.org/docs.git')).toBeNull()
  })
})
