import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Harness, withClient } from '../harness/harness.ts'
import type { MovingSource } from './moving-source.ts'
import { type FaultedRun, SHORT_LEASE, type SourcePlan, type WavePlan } from './plan-wave.ts'
import { canFakeClocks, type Run, type RunEnd, type RunStart, startRun } from './start-run.ts'

type Fault = FaultedRun['fault']

export interface WaveRun extends RunEnd {
  /** The commit that the ref named all the while. */
  readonly head: string
  /** The fault that hit it: it still ran when it was sent its signal. A paused one was resumed past its lease. */
  readonly hit: Fault
  /** It did not give up the statement that was held. */
  readonly stuck: boolean
  /** Whether it was killed, paused, hung or cut off from its database: nothing else is a reason to lose a lease. */
  readonly mayLoseLease: boolean
}

interface Wave {
  readonly plan: WavePlan
  readonly url: string
  readonly harness: Harness
  readonly sources: readonly MovingSource[]
  /** Folder of the clones, and of what node has compiled. */
  readonly home: string
  readonly count: (what: string, times?: number) => void
  /** Names of the runs that have not ended, and of those whose connections were cut. */
  readonly alive: Set<string>
  readonly cutOff: Set<string>
}

/** Longer than the lease of a run that was killed. */
const WAIT_MS = 4_000
const BUDGET_MS = 12_000
/** Of a run whose server may hang, or whose statement does. */
const SHORT_BUDGET_MS = 2_500
/** Of a run that is paused or hangs: what ends it is to be the loss of its lease. */
const LONG_BUDGET_MS = 45_000
const BUDGETS: { readonly [Each in Fault]?: { readonly budgetMs: number } } = {
  paused: { budgetMs: LONG_BUDGET_MS },
  hung: { budgetMs: LONG_BUDGET_MS },
  timeout: { budgetMs: SHORT_BUDGET_MS },
}

/** How a fault is injected into a run that has come to its trigger. @returns whether it still ran, or held on to what hangs. */
const INJECT: Record<Fault, (run: Run, startSuccessor: () => Promise<Run>) => Promise<boolean | 'stuck'>> = {
  none: async () => false,
  SIGKILL: async (run) => run.send('SIGKILL'),
  async SIGTERM(run) {
    const sent = run.send('SIGTERM')
    return sent && run.statement ? releaseGivenUp(run) : sent
  },
  timeout: releaseGivenUp,
  async slow({ statement }) {
    await sleep(SHORT_LEASE.ttlMs + 500)
    await statement!.release()
    return true
  },
  async paused(run, startSuccessor) {
    if (!run.send('SIGSTOP')) return false
    const expired = sleep(SHORT_LEASE.ttlMs)
    await (await startSuccessor()).ended
    await expired
    return run.send('SIGCONT')
  },
  async hung(run, startSuccessor) {
    // Held at the same statement, so it has the lease when the older one arrives.
    const successor = await startSuccessor()
    await successor.triggered
    const hit = await releaseGivenUp(run)
    await successor.statement!.release()
    return hit
  },
}

async function releaseGivenUp({ statement }: Run): Promise<true | 'stuck'> {
  const givenUp = await statement!.givenUp()
  await statement!.release()
  return givenUp || 'stuck'
}

/** A wave over all sources, side by side, and what is done to it; ends when all its processes have. */
export async function injectFaults(settings: Omit<Wave, 'alive' | 'cutOff'>): Promise<readonly WaveRun[]> {
  const wave = { ...settings, alive: new Set<string>(), cutOff: new Set<string>() }
  const { plan, sources } = wave
  const moments = sources.map((source, i) => runMoments(wave, source, plan.sources[i]!, `${i}-moment`))
  const early = await settleAll(moments)
  const storm = sources.map((source, i) => runStorm(wave, source, plan.sources[i]!, `${i}-storm`))
  return [...early, ...(await settleAll([...storm, injectIntoDatabase(wave).then(() => [])]))]
}

/** Waits for the ends of all: also after Ctrl-C nothing is left that still restarts a server or waits for a process. */
async function settleAll<T>(parts: readonly Promise<readonly T[]>[]): Promise<T[]> {
  const settled = await Promise.allSettled(parts)
  return settled.flatMap((part) => {
    if (part.status === 'rejected') throw part.reason
    return part.value
  })
}

async function runMoments(wave: Wave, source: MovingSource, { moments }: SourcePlan, name: string) {
  const done: WaveRun[] = []
  for (const [i, run] of moments.entries()) {
    const runs = await injectIntoRun(wave, source, run, { budgetMs: BUDGET_MS, name: `${name}-${i}` })
    if (run.fault !== 'none') wave.count(runs[0]!.hit === run.fault ? 'moments' : 'missed moments')
    done.push(...runs)
  }
  return done
}

async function runStorm(wave: Wave, source: MovingSource, plan: SourcePlan, name: string) {
  const done: WaveRun[] = []
  for (const [i, run] of plan.storm.entries()) {
    const ended = new AbortController()
    const isFaulty = i === 0 && plan.serverFault !== null && source.server !== null
    const serverFaulted = isFaulty ? injectIntoServer(wave, source, plan, ended.signal) : null
    const budgetMs = isFaulty ? SHORT_BUDGET_MS : BUDGET_MS
    done.push(...(await injectIntoRun(wave, source, run, { budgetMs, name: `${name}-${i}` })))
    ended.abort()
    await serverFaulted
  }
  return done
}

/** Moves the ref, starts a run, and others beside it, injects its fault, and waits for the ends of all. */
async function injectIntoRun(
  { plan, url, harness: { signal }, home, count, alive, cutOff }: Wave,
  { id, repo, positions, move }: MovingSource,
  { move: refMove, fault, trigger, overlapped, clock }: FaultedRun,
  { budgetMs, name }: { budgetMs: number; name: string },
): Promise<readonly WaveRun[]> {
  signal.throwIfAborted()
  await move(refMove)
  const head = positions.at(-1)!
  const runs: Run[] = []
  const start = async (role: string, options: RunStart['options'], how: Partial<RunStart> = {}) => {
    const source = { id, repo, ref: 'main' }
    const folders = { home, options: { budgetMs, clones: join(home, 'clones'), ...options } }
    const run = await startRun({ ...how, ...folders, name: `wave-${plan.wave}-${name}-${role}`, url, source, signal })
    alive.add(run.name)
    run.ended.finally(() => alive.delete(run.name))
    runs.push(run)
    return run
  }
  const holds = fault === 'hung' ? 'all connections' : 'its connection'
  const run = await start('run', { waitMs: WAIT_MS, ...BUDGETS[fault] }, { trigger, holds, clock })
  if (overlapped) await start('concurrent', { waitMs: 0 })
  const startSuccessor = () => start('successor', { waitMs: WAIT_MS }, fault === 'hung' ? { trigger } : {})
  const came = fault !== 'none' && (await run.triggered)
  const injected = came && (await INJECT[fault](run, startSuccessor))
  const hit = injected ? fault : 'none'
  const ends = await Promise.all(runs.map(({ ended }) => ended))
  for (const { statement } of runs) statement?.close()

  if (refMove.kind === 'rewritten') count('rewritten histories')
  if (overlapped) count('overlaps')
  if (clock !== null && canFakeClocks) count('wrong clocks')
  if (hit === 'hung') count('hung')
  if (hit === 'SIGTERM') count('terminations')
  // A kill after the result took nothing away.
  if (hit === 'SIGKILL' && ends[0]!.result === null) count('kills')
  return ends.map((end, i) => {
    const own = i === 0 ? hit : 'none'
    const mayLoseLease = cutOff.has(end.name) || ['SIGKILL', 'paused', 'hung'].includes(own)
    return { ...end, head, hit: own, stuck: i === 0 && injected === 'stuck', mayLoseLease }
  })
}

/** Lets the server of a source answer some requests, then not as it should, until the signal. */
async function injectIntoServer(
  { count }: Wave,
  { server }: MovingSource,
  { serverFault, serverFaultAfterRequests }: SourcePlan,
  signal: AbortSignal,
): Promise<void> {
  if (server === null || serverFault === null) return
  const over = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  for (let n = 0; n < serverFaultAfterRequests && !signal.aborted; n++) await Promise.race([server.requested(), over])
  const before = server.requests
  server.mood = serverFault
  await over
  count(`requests: ${serverFault}`, server.requests - before)
  server.mood = 'serve'
}

async function injectIntoDatabase({ plan, url, harness, count, alive, cutOff }: Wave): Promise<void> {
  if (plan.database === 'left alone') return
  const started = performance.now()
  const cutOffAlive = () => {
    for (const name of alive) cutOff.add(name)
  }
  for (const afterMs of plan.databaseAfterMs) {
    await sleep(Math.max(0, started + afterMs - performance.now()), undefined, { signal: harness.signal })
    if (plan.database === 'restarted') {
      cutOffAlive()
      await harness.server.restart()
      cutOffAlive()
      count('restarts')
    } else {
      const { rows } = await withClient(url, (db) => db.query<{ name: string }>(CUT_SQL))
      for (const { name } of rows) cutOff.add(name)
      count('cut connections', rows.length)
    }
  }
}

/** Half of the connections that runs have. */
const CUT_SQL = /* sql */ `
SELECT application_name AS name, pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name LIKE 'wave-%' AND datname = current_database() AND random() < 0.5`
