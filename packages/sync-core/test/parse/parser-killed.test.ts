import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { childPids, cpuMs, isRunning } from '@tidemark/test-engines/processes'
import { describe, expect, test, vi } from 'vitest'
import { parsePage } from '../../src/parse/page.ts'
import { openParser } from '../../src/parse/parser.ts'

const RUN = fileURLToPath(new URL('../world/run-parser.ts', import.meta.url))
const never = new AbortController().signal
/** Takes a second of processor time in the parser's process. */
const SLOW = Buffer.from('>'.repeat(48_000))
/** Takes minutes there. */
const ENDLESS = Buffer.from('>'.repeat(1_000_000))
/** Takes no time there. */
const LARGE = Buffer.from('word '.repeat(10_000))

/** What a process takes to start is a third of it, and {@link SLOW} three times as much. */
const AT_WORK_MS = 400

/** The number of the parser's process, once it is in the middle of a file and is not the one before. */
function busyParser(before?: number, parent?: number): Promise<number> {
  return vi.waitFor(
    () => {
      const [pid] = childPids('parser-process', parent)
      if (pid === undefined || pid === before || cpuMs(pid) < AT_WORK_MS) throw new Error('none is at work')
      return pid
    },
    { timeout: 20_000, interval: 20 },
  )
}

describe("a parser's process", () => {
  test('that is killed in the middle of a file is started again, and the file becomes a page', async () => {
    await using parser = openParser(never)
    const parsing = parser.parse('a.md', SLOW)

    process.kill(await busyParser(), 'SIGKILL')

    expect(await parsing).toEqual(parsePage('a.md', SLOW))
  })

  test('that is killed again at the same file is the fault of no file, and the error says what happened', async () => {
    await using parser = openParser(never)
    const parsing = expect(parser.parse('a.md', ENDLESS)).rejects.toMatchObject({
      code: 'PARSER_KILLED',
      message: expect.stringMatching(/SIGKILL.*twice.*a\.md/),
    })
    const first = await busyParser()
    process.kill(first, 'SIGKILL')
    process.kill(await busyParser(first), 'SIGKILL')
    await parsing

    expect(await parser.parse('b.md', LARGE)).toEqual(parsePage('b.md', LARGE))
  })

  test('that is killed between two files costs neither of them', async () => {
    await using parser = openParser(never, { timeLimitMs: 5_000 })
    await parser.parse('a.md', LARGE)
    const [pid] = childPids('parser-process')
    process.kill(pid!, 'SIGKILL')
    await vi.waitFor(() => expect(childPids('parser-process')).toEqual([]))

    expect(await parser.parse('b.md', LARGE)).toEqual(parsePage('b.md', LARGE))
  })

  test('ignores what a terminal or a supervisor sends to all processes of a command', async () => {
    await using parser = openParser(never)
    const parsing = parser.parse('a.md', SLOW)
    const pid = await busyParser()

    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid, signal)

    expect(await parsing).toEqual(parsePage('a.md', SLOW))
    await parser.parse('b.md', LARGE)
    expect(childPids('parser-process')).toEqual([pid])
  })

  test('that is stopped for longer than its time limit, and goes on, has its file set aside by no one', async () => {
    await using parser = openParser(never, { timeLimitMs: 3_000 })
    const parsing = parser.parse('a.md', SLOW)
    const pid = await busyParser()

    process.kill(pid, 'SIGSTOP')
    await sleep(3_300)
    process.kill(pid, 'SIGCONT')

    expect(await parsing).toEqual(parsePage('a.md', SLOW))
  })

  test('ends with the process that has started it, also in the middle of a file', async () => {
    const run = spawn(process.execPath, [RUN], { stdio: ['ignore', 'ignore', 'inherit'] })
    const pid = await busyParser(undefined, run.pid)

    run.kill('SIGKILL')
    await once(run, 'exit')

    await vi.waitFor(() => expect(isRunning(pid)).toBe(false), { timeout: 2_000 })
  })
})
