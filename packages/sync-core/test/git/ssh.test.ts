import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { remoteOrigin } from '../../src/git/remote.ts'
import { emptyRepository } from '../world/test-repository.ts'

const repository = await emptyRepository()
const commit = await repository.commit({ 'a.md': 'a' })
const home = mkdtempSync(join(tmpdir(), 'tidemark-ssh-'))
const log = join(home, 'log')
const config = join(home, 'gitconfig')

/** A program called ssh that notes how it was called, and runs here what it would run there. */
function fakeSsh(name: string): string {
  const program = join(home, name, 'ssh')
  mkdirSync(join(home, name), { recursive: true })
  writeFileSync(program, `#!/bin/sh\necho "${name} $*" >> '${log}'\nfor last; do :; done\nexec sh -c "$last"\n`)
  chmodSync(program, 0o755)
  return program
}

beforeEach(() => {
  writeFileSync(log, '')
  writeFileSync(config, '')
  vi.stubEnv('GIT_CONFIG_GLOBAL', config)
  fakeSsh('default')
  vi.stubEnv('PATH', `${join(home, 'default')}:${process.env.PATH}`)
})
afterEach(() => vi.unstubAllEnvs())
afterAll(() => {
  repository.remove()
  rmSync(home, { recursive: true })
})

/** What ssh was called with, by the look at a server and the fetch from it. */
async function callsOfSsh(): Promise<string[]> {
  const repo = `somehost:${repository.folder}`
  const { signal } = new AbortController()
  expect(await remoteOrigin(repo, 'main', join(home, 'clone')).prepare(signal)).toMatchObject({ commit })
  return readFileSync(log, 'utf8').trim().split('\n')
}

const ours = /-oBatchMode=yes.*-oConnectTimeout=/

describe('a repository behind ssh', () => {
  test('is reached by ssh that asks nobody and does not wait for ever, where the user has not said how', async () => {
    const calls = await callsOfSsh()
    expect(calls.length).toBeGreaterThanOrEqual(2)
    for (const call of calls) expect(call).toMatch(new RegExp(`^default .*${ours.source}`))
  })

  const setups: [string, () => void][] = [
    ['core.sshCommand', () => writeFileSync(config, `[core]\n\tsshCommand = ${fakeSsh('users')} -p 2222\n`)],
    [
      'core.sshCommand of a file that the configuration includes',
      () => {
        writeFileSync(join(home, 'included'), `[core]\n\tsshCommand = ${fakeSsh('users')} -p 2222\n`)
        writeFileSync(config, `[include]\n\tpath = ${join(home, 'included')}\n`)
      },
    ],
    [
      'core.sshCommand of the environment',
      () => {
        vi.stubEnv('GIT_CONFIG_COUNT', '1')
        vi.stubEnv('GIT_CONFIG_KEY_0', 'core.sshCommand')
        vi.stubEnv('GIT_CONFIG_VALUE_0', `${fakeSsh('users')} -p 2222`)
      },
    ],
    ['GIT_SSH_COMMAND', () => vi.stubEnv('GIT_SSH_COMMAND', `${fakeSsh('users')} -p 2222`)],
    ['GIT_SSH', () => vi.stubEnv('GIT_SSH', fakeSsh('users'))],
    [
      'GIT_SSH_COMMAND rather than core.sshCommand and GIT_SSH',
      () => {
        writeFileSync(config, `[core]\n\tsshCommand = ${fakeSsh('another')}\n`)
        vi.stubEnv('GIT_SSH', fakeSsh('another'))
        vi.stubEnv('GIT_SSH_COMMAND', `${fakeSsh('users')} -p 2222`)
      },
    ],
    [
      'core.sshCommand rather than GIT_SSH',
      () => {
        writeFileSync(config, `[core]\n\tsshCommand = ${fakeSsh('users')} -p 2222\n`)
        vi.stubEnv('GIT_SSH', fakeSsh('another'))
      },
    ],
  ]
  test.each(setups)('is reached by %s of the user, as it stands', async (_, setUp) => {
    setUp()
    const calls = await callsOfSsh()
    expect(calls.length).toBeGreaterThanOrEqual(2)
    for (const call of calls) {
      expect(call).toMatch(/^users /)
      expect(call).not.toMatch(/-oBatchMode|-oConnectTimeout/)
    }
  })
})
