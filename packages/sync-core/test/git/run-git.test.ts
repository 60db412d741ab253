import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { serveGit } from '@tidemark/test-engines/git-server'
import { commandLines, descendants } from '@tidemark/test-engines/processes'
import { simpleGit } from 'simple-git'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { remoteOrigin } from '../../src/git/remote.ts'
import { localGit, startGit } from '../../src/git/run-git.ts'
import { emptyRepository } from '../world/test-repository.ts'

const repository = await emptyRepository()
await repository.commit({ 'a.md': 'a' })
afterAll(() => repository.remove())
afterEach(() => vi.restoreAllMocks())

const SIDE_BY_SIDE = 30
/** Longer than a git that was asked to end is given. */
const AFTER_KILL_MS = 1_300

const HEAD = ['rev-parse', 'HEAD']

/** A git that waits for input until it is ended. */
const waiting = (signal: AbortSignal) =>
  startGit(repository.folder, ['cat-file', '--batch'], signal, { input: noLines(signal) })

async function* noLines(signal: AbortSignal): AsyncGenerator<string> {
  yield* await once(signal, 'abort').then(() => [])
}

/** A server that does not answer, and the helpers that talk to it. */
async function serveHanging() {
  const server = await serveGit(repository.folder)
  server.mood = 'hang'
  const isHelper = (line: string) => line.includes('git-remote-http') && line.includes(server.url)
  return { server, helpers: () => commandLines().filter(isHelper) }
}

describe('git', () => {
  test('thirty times side by side, under one signal, has Node warn of nothing', async () => {
    const warnings: Error[] = []
    const onWarning = (warning: Error) => warnings.push(warning)
    process.on('warning', onWarning)
    const { signal } = new AbortController()
    const calls = Array.from({ length: SIDE_BY_SIDE }, async () => {
      const git = await startGit(repository.folder, HEAD, signal)
      await localGit(repository.folder, HEAD, signal)
      await git.stop()
    })

    await Promise.all(calls)

    // A warning is told in the next turn.
    await sleep(10)
    process.off('warning', onWarning)
    expect(warnings).toEqual([])
  })

  test('leaves no listener of the exit of this process behind', async () => {
    const before = process.listenerCount('exit')
    const { signal } = new AbortController()
    await Promise.all([1, 2].map(async () => (await startGit(repository.folder, HEAD, signal)).stop()))
    expect(process.listenerCount('exit')).toBe(before)
  })

  test('leaves the signals to the caller: one whose handler is "once" is not ended by ours', async () => {
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
    const before = signals.map((name) => process.listenerCount(name))
    const git = await startGit(repository.folder, HEAD, new AbortController().signal)
    expect(signals.map((name) => process.listenerCount(name))).toEqual(before)
    await git.stop()
  })

  test('that still runs when the process of its caller exits is gone with it, and so is what it has started', async () => {
    const line = `sleep ${2_000_000 + process.pid}`
    const program = `
      import { startGit } from '${new URL('../../src/git/run-git.ts', import.meta.url)}'
      const alias = 'alias.stubborn=!trap "" TERM; echo; ${line}'
      const { output } = await startGit('${repository.folder}', ['-c', alias, 'stubborn'], new AbortController().signal)
      for await (const _ of output) process.exit()`
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    expect(await once(child, 'exit')).toEqual([0, null])
    await vi.waitFor(() => expect(commandLines().filter((each) => each.includes(line))).toEqual([]), {
      timeout: 10_000,
    })
  })

  test('that has ended on its signal has nothing sent to its number any more, which may be that of another', async () => {
    const stop = new AbortController()
    const kill = vi.spyOn(process, 'kill')
    const git = await waiting(stop.signal)
    await sleep(200)

    stop.abort()
    await expect(git.ended).rejects.toThrow()
    await git.stop()

    const sent = () => kill.mock.calls.filter(([, signal]) => signal !== 0).map(([, signal]) => signal)
    expect(sent()).toEqual(['SIGTERM'])
    await sleep(AFTER_KILL_MS)
    expect(sent()).toEqual(['SIGTERM'])
  })

  test('that does not end on its signal is killed a second later, and so is what it has started', async () => {
    const stop = new AbortController()
    // An alias that begins with "!" is a command of the shell.
    const alias = 'alias.stubborn=!trap "" TERM; sleep 1000 & echo; wait'
    const git = await startGit(repository.folder, ['-c', alias, 'stubborn'], stop.signal)
    await sleep(300)
    const started = performance.now()

    stop.abort()
    await git.stop()

    expect(performance.now() - started).toBeGreaterThan(900)
    expect(performance.now() - started).toBeLessThan(5_000)
  })

  test('that ends on its signal leaves nothing behind that does not mind it', async () => {
    const stop = new AbortController()
    // Its length is its name: no other process of this machine has it.
    const orphan = `sleep ${1_000_000 + process.pid}`
    const alias = `alias.parent=!(trap "" TERM; exec ${orphan}) <&- >&- 2>&- & echo; sleep 1000`
    const git = await startGit(repository.folder, ['-c', alias, 'parent'], stop.signal)
    const orphans = () => commandLines().filter((line) => line.startsWith(orphan))
    await vi.waitFor(() => expect(orphans()).toHaveLength(1), { timeout: 10_000 })

    stop.abort()
    await git.stop()

    await vi.waitFor(() => expect(orphans()).toEqual([]), { timeout: 10_000 })
  })

  test('that answers as text is ended by its signal, whose reason is thrown, and no process is left', async () => {
    const stop = new AbortController()
    // Without input it waits for some.
    const running = localGit(repository.folder, ['cat-file', '--batch'], stop.signal)
    await vi.waitFor(() => expect(descendants().join()).toContain('cat-file --batch'))

    stop.abort(new Error('enough'))

    await expect(running).rejects.toThrow('enough')
    await vi.waitFor(() => expect(descendants().filter((line) => line.startsWith('git '))).toEqual([]))
  })

  test('answers whatever else the environment of its caller tells git to run', async () => {
    const config = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'alias.x', GIT_CONFIG_VALUE_0: '!false' }
    const programs = { EDITOR: 'vi', PAGER: 'less', GIT_SSH_COMMAND: 'ssh', SSH_ASKPASS: 'ask', GIT_EXEC_PATH: '' }
    for (const [name, value] of Object.entries({ ...config, ...programs })) vi.stubEnv(name, value)
    vi.stubEnv('GIT_DIR', '/nowhere')

    const answer = await localGit(repository.folder, HEAD, new AbortController().signal).finally(vi.unstubAllEnvs)

    expect(answer).toMatch(/^[0-9a-f]{40}$/)
  })

  test('runs no program that a repository names: hooks and the file system monitor are off, however it is run', async () => {
    const { signal } = new AbortController()
    const evil = '[core]\n\thooksPath = /evil\n\tfsmonitor = /evil\n[protocol "ext"]\n\tallow = always\n'
    appendFileSync(join(repository.folder, '.git/config'), evil)
    const settings = { 'core.hooksPath': '/dev/null', 'core.fsmonitor': 'false', 'protocol.ext.allow': 'never' }
    for (const [name, safe] of Object.entries(settings)) {
      const get = ['config', '--get', name]
      expect(await localGit(repository.folder, get, signal)).toBe(safe)
      const git = await startGit(repository.folder, get, signal)
      let output = ''
      for await (const buffer of git.output) output += buffer
      expect(output).toBe(`${safe}\n`)
    }
  })

  test('on a server is not run by simple-git, whose signal ends git alone: its helper goes on', async () => {
    const { server, helpers } = await serveHanging()
    const stop = new AbortController()
    const [requested, running] = [
      server.requested(),
      simpleGit({ baseDir: '/', abort: stop.signal }).raw('ls-remote', server.url),
    ]
    await requested

    stop.abort()

    await expect(running).rejects.toThrow()
    expect(helpers()).not.toEqual([])

    await server.close()
    await vi.waitFor(() => expect(helpers()).toEqual([]))
  })

  test('on a server ends with all that it has started', async () => {
    const { server, helpers } = await serveHanging()
    const stop = new AbortController()
    const [requested, running] = [
      server.requested(),
      remoteOrigin(server.url, 'main', '/nowhere').resolveCommit(stop.signal),
    ]
    await requested

    stop.abort(new Error('enough'))

    await expect(running).rejects.toThrow('enough')
    expect(helpers()).toEqual([])
    await server.close()
  })
})
