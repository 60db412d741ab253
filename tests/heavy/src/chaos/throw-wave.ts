import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { GitServer } from '@tidemark/test-engines/git-server'
import type { Ground } from '../ground/ground.ts'
import { withClient } from '../ground/with-client.ts'
import { canFakeClocks } from './faked-clock.ts'
import type { MovingSource } from './moving-source.ts'
import type { Act, SourcePlan, WavePlan } from './plan-wave.ts'
import { LEASES } from './settings.ts'
import { type RunEnd, startRun } from './start-run.ts'

/** What has been thrown; only what has hit counts. */
export interface Thrown {
  kills: number
  terminations: number
  overlaps: number
  clockFaults: number
  restarts: number
  cutConnections: number
  /** Requests to git servers that were answered in these ways. */
  gitFaults: { hang: number; slow: number; drop: number; fail: number }
  rewrittenHistories: number
}

export interface WaveRun extends RunEnd {
  /** The commit that the ref named all the while. */
  readonly head: string
  /** Whether it was stopped past its lease and woken again. */
  readonly woken: boolean
  /** Whether it was sent SIGTERM. */
  readonly terminated: boolean
  readonly killed: boolean
}

export interface Throwing {
  readonly plan: WavePlan
  readonly url: string
  readonly ground: Ground
  readonly sources: readonly MovingSource[]
  /** Folder of the clones, and of what node has compiled. */
  readonly home: string
  readonly thrown: Thrown
}

/** Longer than the lease of a run that was killed. */
const WAIT_MS = 4_000
const BUDGET_MS = 12_000
/** Of a run whose server may hang. */
const SHORT_BUDGET_MS = 2_500
/** Of a run that is paused: what ends it is to be the loss of its lease. */
const LONG_BUDGET_MS = 45_000

/** A wave over all sources, side by side, and what is done to it; ends when all its processes have. */
export async function throwWave(throwing: Throwing): Promise<readonly WaveRun[]> {
  const { plan, sources } = throwing
  const throwingAtDatabase = throwAtDatabase(throwing)
  // Also after Ctrl-C nothing is left behind that still restarts a server or waits for a process.
  const settled = await Promise.allSettled([
    ...sources.map((source, i) => throwAtSource(throwing, source, plan.sources[i]!, `${i}`)),
    throwingAtDatabase.then(() => []),
  ])
  return settled.flatMap((part) => {
    if (part.status === 'rejected') throw part.reason
    return part.value
  })
}

async function throwAtSource(
  throwing: Throwing,
  source: MovingSource,
  { acts, mood, moodAfterRequests }: SourcePlan,
  name: string,
): Promise<readonly WaveRun[]> {
  const runs: WaveRun[] = []
  for (const [i, act] of acts.entries()) {
    throwing.ground.signal.throwIfAborted()
    await source.move(act.move)
    if (act.move.kind === 'rewritten') throwing.thrown.rewrittenHistories++
    const ended = new AbortController()
    const trouble =
      i === 0 && mood !== 'serve' && source.server !== null
        ? throwAtServer(throwing.thrown, source.server, mood, moodAfterRequests, ended.signal)
        : null
    runs.push(...(await perform(throwing, source, act, { troubled: trouble !== null, name: `${name}-${i}` })))
    ended.abort()
    await trouble
  }
  return runs
}

/** Starts the runs of an act, throws its fault at the first of them, and waits for their ends. */
async function perform(
  { plan, url, ground: { signal }, home, thrown }: Throwing,
  { id, repo, positions }: MovingSource,
  { fault, moment, overlapped, clock }: Act,
  { troubled, name }: { troubled: boolean; name: string },
): Promise<readonly WaveRun[]> {
  const usualMs = troubled ? SHORT_BUDGET_MS : BUDGET_MS
  const start = (part: string, options: { waitMs: number; budgetMs: number }, clock: Act['clock']) =>
    startRun({
      name: `wave-${plan.wave}-${name}-${part}`,
      url,
      source: { id, repo, ref: 'main' },
      options: { ...options, clones: join(home, 'clones') },
      compileCache: join(home, 'compile-cache'),
      clock,
      signal,
    })
  const run = start('run', { waitMs: WAIT_MS, budgetMs: fault === 'paused' ? LONG_BUDGET_MS : usualMs }, clock)
  const others = overlapped ? [start('twin', { waitMs: 0, budgetMs: usualMs }, null)] : []
  if (overlapped) thrown.overlaps++
  if (clock !== null && canFakeClocks) thrown.clockFaults++

  const head = positions.at(-1)!
  let [woken, terminated, killed] = [false, false, false]
  if (fault !== 'none' && (await run.reaches(moment))) {
    if (fault === 'SIGKILL') killed = run.send('SIGKILL')
    if (fault === 'SIGTERM') terminated = run.send('SIGTERM')
    if (fault === 'paused' && run.send('SIGSTOP')) {
      const expired = sleep(LEASES.ttlMs, undefined, { signal })
      const heir = start('heir', { waitMs: WAIT_MS, budgetMs: usualMs }, null)
      others.push(heir)
      await Promise.all([expired, heir.ended])
      woken = run.send('SIGCONT')
    }
  }
  const end = await run.ended
  // Later it was no loss any more.
  if (killed && end.result === null) thrown.kills++
  if (terminated) thrown.terminations++
  const untouched = await Promise.all(others.map(({ ended }) => ended))
  return [
    { ...end, head, woken, terminated, killed },
    ...untouched.map((end) => ({ ...end, head, woken: false, terminated: false, killed: false })),
  ]
}

/** Lets a server answer some requests, then not as it should, until the signal. */
async function throwAtServer(
  thrown: Thrown,
  server: GitServer,
  mood: keyof Thrown['gitFaults'],
  afterRequests: number,
  signal: AbortSignal,
): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => resolve(), { once: true })
  for (let n = 0; n < afterRequests && !signal.aborted; n++) await Promise.race([server.requested(), over])
  const before = server.requests
  server.mood = mood
  await over
  thrown.gitFaults[mood] += server.requests - before
  server.mood = 'serve'
}

async function throwAtDatabase({ plan, url, ground, thrown }: Throwing): Promise<void> {
  const { signal, server } = ground
  if (plan.database === 'left alone') return
  const started = performance.now()
  for (const afterMs of [...plan.databaseAfterMs].sort((a, b) => a - b)) {
    await sleep(Math.max(0, started + afterMs - performance.now()), undefined, { signal })
    if (plan.database === 'restarted') {
      await server.restart()
      thrown.restarts++
    } else {
      const { rows } = await withClient(url, (db) => db.query(cutSql))
      thrown.cutConnections += rows.length
    }
  }
}

/** Half of the connections that runs have. */
const cutSql = /* sql */ `
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name LIKE 'wave-%' AND datname = current_database() AND random() < 0.5`
