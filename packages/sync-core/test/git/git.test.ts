import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { git, gitStream } from '../../src/git/git.ts'
import { emptyRepository } from '../world/test-repository.ts'

const repository = await emptyRepository()
await repository.commit({ 'a.md': 'a' })
afterAll(() => repository.remove())
afterEach(() => vi.restoreAllMocks())

const SIDE_BY_SIDE = 30
/** Longer than a git that was asked to end is given. */
const AFTER_KILL_MS = 1_300

/** A git that waits for input until it is ended. */
const waiting = (signal: AbortSignal) =>
  git(repository.folder, ['cat-file', '--batch'], signal, { input: new Readable({ read() {} }) })

describe('git', () => {
  test('thirty times side by side, under one signal, has Node warn of nothing', async () => {
    const warnings: Error[] = []
    const onWarning = (warning: Error) => warnings.push(warning)
    process.on('warning', onWarning)
    const { signal } = new AbortController()
    const calls = Array.from({ length: SIDE_BY_SIDE }, async () => {
      const stream = gitStream(repository.folder, ['rev-parse', 'HEAD'], signal)
      await git(repository.folder, ['rev-parse', 'HEAD'], signal)
      await stream.stop()
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
    await Promise.all([1, 2].map(() => git(repository.folder, ['rev-parse', 'HEAD'], signal)))
    expect(process.listenerCount('exit')).toBe(before)
  })

  test('that has ended on its signal has nothing sent to its number any more, which may be that of another', async () => {
    const stop = new AbortController()
    const kill = vi.spyOn(process, 'kill')
    const running = waiting(stop.signal)
    await sleep(200)

    stop.abort()
    await expect(running).rejects.toThrow()

    const sent = () => kill.mock.calls.filter(([, signal]) => signal !== 0).map(([, signal]) => signal)
    expect(sent()).toEqual(['SIGTERM'])
    await sleep(AFTER_KILL_MS)
    expect(sent()).toEqual(['SIGTERM'])
  })

  test('that does not end on its signal is killed a second later, and so is what it has started', async () => {
    const stop = new AbortController()
    // An alias that begins with "!" is a command of the shell.
    const config = [['alias.stubborn', '!trap "" TERM; sleep 1000 & echo; wait']] as const
    const running = git(repository.folder, ['stubborn'], stop.signal, { config })
    await sleep(300)
    const started = performance.now()

    stop.abort()
    await expect(running).rejects.toThrow()

    expect(performance.now() - started).toBeGreaterThan(900)
    expect(performance.now() - started).toBeLessThan(5_000)
  })
})
