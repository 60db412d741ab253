import { existsSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { SyncOptions, SyncResult } from '@tidemark/sync-core'
import { startProcess } from '../harness/process.ts'
import type { FaultedRun, TriggerPoint } from './plan-wave.ts'

// Where Debian's libfaketime puts it; "MT" is the one for programs with threads.
const TRIPLET = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[process.arch as string]
const LIBFAKETIME = `/usr/lib/${TRIPLET}/faketime/libfaketimeMT.so.1`
export const canFakeClocks = existsSync(LIBFAKETIME)

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

interface RunStart {
  readonly name: string
  readonly url: string
  readonly source: { readonly id: string; readonly repo: string; readonly ref: string }
  readonly options: Pick<SyncOptions, 'budgetMs' | 'waitMs' | 'clones'>
  readonly clock: FaultedRun['clock']
  /** Folder where node keeps what it has compiled: half of what the start of a run costs. */
  readonly compileCache: string
  /** Ends it, whatever it does. */
  readonly signal: AbortSignal
}

const RUN_SYNC = fileURLToPath(new URL('run-sync.ts', import.meta.url))

/** Far beyond any budget and any pause. */
const HUNG_AFTER_MS = 90_000

/** Starts a run in a process of its own. */
export function startRun({ name, url, source, options, clock, compileCache, signal }: RunStart) {
  // A wrong clock of the day, for the process and those that it starts; that of its timers stays.
  const fakedClock = { LD_PRELOAD: LIBFAKETIME, FAKETIME: clock ?? '', DONT_FAKE_MONOTONIC: '1' }
  const connectionUrl = new URL(url)
  connectionUrl.searchParams.set('application_name', name)
  const points = {
    start: Promise.withResolvers<void>(),
    awake: Promise.withResolvers<void>(),
    lease: Promise.withResolvers<void>(),
    stored: Promise.withResolvers<void>(),
    'stored twice': Promise.withResolvers<void>(),
  } satisfies Record<TriggerPoint['after'], PromiseWithResolvers<void>>
  points.start.resolve()
  let last: string | undefined
  let batches = 0
  const { child, ended } = startProcess(
    [process.execPath, RUN_SYNC, connectionUrl.href, JSON.stringify({ source, options })],
    {
      env: { ...process.env, NODE_COMPILE_CACHE: compileCache, ...(clock && canFakeClocks && fakedClock) },
      signal,
      killAfterMs: HUNG_AFTER_MS,
      stderr: 'pipe',
      onLine(line) {
        points.awake.resolve()
        // A phase that follows the lock's is under the lease; a result that does is of a run that was refused it.
        if (last === 'lock' && !line.startsWith('{')) points.lease.resolve()
        if (line === 'stored') points[++batches === 1 ? 'stored' : 'stored twice'].resolve()
        last = line
      },
    },
  )
  const stderr = text(child.stderr!)
  const exited = ended.then(() => false)
  return {
    ended: ended.then(
      async ({ exitCode, exitSignal, killed }): Promise<RunEnd> => ({
        name,
        pid: child.pid!,
        source: source.id,
        result: last?.startsWith('{') ? JSON.parse(last) : null,
        exitCode,
        exitSignal,
        stderr: (await stderr).slice(-2_000),
        hung: killed,
      }),
    ),
    /** @returns whether it still ran. */
    send: (name: NodeJS.Signals) => child.exitCode === null && child.signalCode === null && child.kill(name),
    /** Waits for a point of it. @returns false where it has ended before. */
    async reaches({ after, delayMs }: TriggerPoint): Promise<boolean> {
      if (!(await Promise.race([points[after].promise.then(() => true), exited]))) return false
      return await Promise.race([sleep(delayMs, true), exited])
    },
  }
}
