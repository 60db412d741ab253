import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Source, SyncOptions, SyncResult } from '@tidemark/sync-core'
import { startProcess } from '../harness/process.ts'
import { holdStatement } from './hold-statement.ts'
import { type FaultedRun, LEFT_ALONE } from './plan-wave.ts'

// Where Debian's libfaketime puts it; "MT" is the one for programs with threads.
const TRIPLET = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[process.arch as string]
const LIBFAKETIME = `/usr/lib/${TRIPLET}/faketime/libfaketimeMT.so.1`
export const canFakeClocks = existsSync(LIBFAKETIME)

export interface RunStart {
  /** As the database is to know its connections. */
  readonly name: string
  readonly url: string
  readonly source: Source
  readonly options: Pick<SyncOptions, 'budgetMs' | 'waitMs'>
  /** Folder of the clones, and of what node has compiled: half of what the start of a run costs. */
  readonly home: string
  /** Ends it, whatever it does. */
  readonly signal: AbortSignal
}

const RUN_SYNC = fileURLToPath(new URL('run-sync.ts', import.meta.url))

/** Far beyond any budget and any pause. */
const OVERDUE_AFTER_MS = 90_000

const STATEMENTS: { readonly [Each in FaultedRun['after']]?: RegExp } = {
  batch: /INSERT INTO tidemark\.pages/,
  finish: /SET\s+bookmark = /,
}

export type Run = Awaited<ReturnType<typeof startRun>>

/** Starts a run in a process of its own, which can be told when to have a fault injected. */
export async function startRun({ name, url, source, options, home, signal }: RunStart, plan: FaultedRun = LEFT_ALONE) {
  const { after, delayMs, clock, fault } = plan
  const database = new URL(url)
  database.searchParams.set('application_name', name)
  const pattern = STATEMENTS[after]
  const holds = fault === 'hung' ? 'all connections' : 'its connection'
  const statement = pattern && (await holdStatement(database, pattern, holds))
  // A wrong clock of the day, for the process and those that it starts; that of its timers stays.
  const fakedClock = { LD_PRELOAD: LIBFAKETIME, FAKETIME: clock ?? '', DONT_FAKE_MONOTONIC: '1' }
  const { promise: reached, resolve } = Promise.withResolvers<boolean>()
  const reach = (point: FaultedRun['after']) => point === after && resolve(true)
  let last = ''
  let batches = 0
  const json = JSON.stringify({ source, options: { ...options, clones: join(home, 'clones') } })
  const { child, ended } = startProcess([process.execPath, RUN_SYNC, (statement?.address ?? database).href, json], {
    env: { ...process.env, NODE_COMPILE_CACHE: join(home, 'compiled'), ...(clock && canFakeClocks && fakedClock) },
    signal,
    killAfterMs: OVERDUE_AFTER_MS,
    onLine(line) {
      reach('awake')
      // A phase that follows the lock's is under the lease; a result that does is of a run that was refused it.
      if (last === 'lock' && !line.startsWith('{')) reach('lease')
      if (line === 'stored') reach(++batches === 1 ? 'stored' : 'stored twice')
      last = line
    },
  })
  reach('start')
  statement?.sent.then(() => reach(after))
  const exited = ended.then(() => false)
  exited.then(resolve)
  return {
    name,
    ended: ended.then(({ exitCode, exitSignal, killed: overdue }) => {
      /** What it printed last; null where it was killed, or broke. */
      const result = last.startsWith('{') ? (JSON.parse(last) as SyncResult) : null
      return { name, pid: child.pid!, source: source.id, result, exitCode, exitSignal, overdue }
    }),
    statement,
    /** Whether it has come to the moment of its fault; false where it ended before. */
    triggered: reached.then((came) => came && Promise.race([sleep(delayMs, true), exited])),
    /** @returns whether it still ran. */
    send: (name: NodeJS.Signals) => child.exitCode === null && child.signalCode === null && child.kill(name),
  }
}
