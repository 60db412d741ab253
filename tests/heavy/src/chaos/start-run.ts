import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { SyncOptions, SyncResult } from '@tidemark/sync-core'
import { startProcess } from '../harness/process.ts'
import { holdStatement } from './hold-statement.ts'
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
  readonly overdue: boolean
}

export interface RunStart extends Partial<Pick<FaultedRun, 'clock' | 'trigger'>> {
  readonly name: string
  readonly url: string
  readonly source: { readonly id: string; readonly repo: string; readonly ref: string }
  readonly options: Pick<SyncOptions, 'budgetMs' | 'waitMs' | 'clones'>
  /** What is held where the trigger is a statement. */
  readonly holds?: Parameters<typeof holdStatement>[2]
  /** Folder for what node has compiled: half of what the start of a run costs. */
  readonly home: string
  /** Ends it, whatever it does. */
  readonly signal: AbortSignal
}

const RUN_SYNC = fileURLToPath(new URL('run-sync.ts', import.meta.url))

/** By what they do, not by their whole text. */
const STATEMENTS: Partial<Record<TriggerPoint['after'], RegExp>> = {
  batch: /INSERT INTO tidemark\.pages/,
  finish: /SET\s+bookmark = /,
}

/** Far beyond any budget and any pause. */
const OVERDUE_AFTER_MS = 90_000

const AT_START: TriggerPoint = { after: 'start', delayMs: 0 }

export type Run = Awaited<ReturnType<typeof startRun>>

/** Starts a run in a process of its own. */
export async function startRun(start: RunStart) {
  const { name, source, options, home, signal, clock = null, holds = 'its connection', trigger = AT_START } = start
  // A wrong clock of the day, for the process and those that it starts; that of its timers stays.
  const fakedClock = { LD_PRELOAD: LIBFAKETIME, FAKETIME: clock ?? '', DONT_FAKE_MONOTONIC: '1' }
  const database = new URL(start.url)
  database.searchParams.set('application_name', name)
  const pattern = STATEMENTS[trigger.after]
  const statement = pattern ? await holdStatement(database, pattern, holds) : null
  const { promise: reached, resolve } = Promise.withResolvers<boolean>()
  const reach = (point: TriggerPoint['after']) => point === trigger.after && resolve(true)
  let last: string | undefined
  let batches = 0
  const { child, ended } = startProcess(
    [process.execPath, RUN_SYNC, (statement?.address ?? database).href, JSON.stringify({ source, options })],
    {
      env: {
        ...process.env,
        NODE_COMPILE_CACHE: join(home, 'compile-cache'),
        ...(clock && canFakeClocks && fakedClock),
      },
      signal,
      killAfterMs: OVERDUE_AFTER_MS,
      stderr: 'pipe',
      onLine(line) {
        reach('awake')
        // A phase that follows the lock's is under the lease; a result that does is of a run that was refused it.
        if (last === 'lock' && !line.startsWith('{')) reach('lease')
        if (line === 'stored') reach(++batches === 1 ? 'stored' : 'stored twice')
        last = line
      },
    },
  )
  reach('start')
  statement?.sent.then(() => reach(trigger.after))
  const stderr = text(child.stderr!)
  const exited = ended.then(() => false)
  exited.then(resolve)
  return {
    name,
    ended: ended.then(async ({ exitCode, exitSignal, killed }): Promise<RunEnd> => {
      const result = last?.startsWith('{') ? JSON.parse(last) : null
      const end = { name, pid: child.pid!, source: source.id, result, exitCode, exitSignal, overdue: killed }
      return { ...end, stderr: (await stderr).slice(-2_000) }
    }),
    statement,
    /** Whether it has come to its trigger; false where it ended before. */
    triggered: reached.then((came) => came && Promise.race([sleep(trigger.delayMs, true), exited])),
    /** @returns whether it still ran. */
    send: (name: NodeJS.Signals) => child.exitCode === null && child.signalCode === null && child.kill(name),
  }
}
