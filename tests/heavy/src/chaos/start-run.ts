import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { SyncOptions, SyncResult } from '@tidemark/sync-core'
import { fakedClock } from './faked-clock.ts'
import type { Act, Moment } from './plan-wave.ts'

/** A run in a process of its own. */
export interface Run {
  readonly pid: number
  /** Waits for a moment of it. @returns false where it has ended before. */
  reaches(moment: Moment): Promise<boolean>
  /** @returns whether it still ran. */
  send(signal: NodeJS.Signals): boolean
  readonly ended: Promise<RunEnd>
}

export interface RunEnd {
  /** As the database knows its connections. */
  readonly name: string
  readonly pid: number
  readonly source: string
  /** What it printed last; null where it was killed, or broke. */
  readonly result: SyncResult | { readonly status: 'failed'; readonly error: { code: string } } | null
  readonly exitCode: number | null
  readonly exitSignal: NodeJS.Signals | null
  readonly stderr: string
  /** It did not end although its budget was long over. */
  readonly hung: boolean
}

export interface RunStart {
  readonly name: string
  readonly url: string
  readonly source: { readonly id: string; readonly repo: string; readonly ref: string }
  readonly options: Pick<SyncOptions, 'budgetMs' | 'waitMs' | 'clones'>
  readonly clock: Act['clock']
  /** Folder where node keeps what it has compiled: half of what the start of a run costs. */
  readonly compileCache: string
  /** Ends it, whatever it does. */
  readonly signal: AbortSignal
}

const RUN_ONE = fileURLToPath(new URL('run-one.ts', import.meta.url))

/** Far beyond any budget and any pause. */
const HUNG_AFTER_MS = 90_000

export function startRun({ name, url, source, options, clock, compileCache, signal }: RunStart): Run {
  const named = new URL(url)
  named.searchParams.set('application_name', name)
  const child = spawn(process.execPath, [RUN_ONE, named.href, JSON.stringify({ source, options })], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache, ...fakedClock(clock) },
  })
  const end = () => child.kill('SIGKILL')
  signal.addEventListener('abort', end, { once: true })
  let hung = false
  const limit = setTimeout(() => {
    hung = end()
  }, HUNG_AFTER_MS)

  const marks = {
    start: Promise.withResolvers<void>(),
    awake: Promise.withResolvers<void>(),
    lease: Promise.withResolvers<void>(),
    stored: Promise.withResolvers<void>(),
    'stored twice': Promise.withResolvers<void>(),
  }
  marks.start.resolve()
  let last: string | undefined
  let batches = 0
  createInterface({ input: child.stdout }).on('line', (line) => {
    marks.awake.resolve()
    // A phase that follows the lock's is under the lease; a result that does is of a run that was refused it.
    if (last === 'lock' && !line.startsWith('{')) marks.lease.resolve()
    if (line === 'stored') marks[++batches === 1 ? 'stored' : 'stored twice'].resolve()
    last = line
  })

  const stderr = text(child.stderr)
  const ended = once(child, 'close').then(async ([exitCode, exitSignal]): Promise<RunEnd> => {
    clearTimeout(limit)
    signal.removeEventListener('abort', end)
    return {
      name,
      pid: child.pid!,
      source: source.id,
      result: last?.startsWith('{') ? JSON.parse(last) : null,
      exitCode,
      exitSignal,
      stderr: (await stderr).slice(-2_000),
      hung,
    }
  })
  const gone = ended.then(() => false)
  return {
    pid: child.pid!,
    ended,
    send: (name) => child.exitCode === null && child.signalCode === null && child.kill(name),
    async reaches({ after, delayMs }) {
      if (!(await Promise.race([marks[after].promise.then(() => true), gone]))) return false
      return await Promise.race([sleep(delayMs, true), gone])
    },
  }
}
