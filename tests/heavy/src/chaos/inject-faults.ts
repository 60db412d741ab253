import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Harness, withClient } from '../harness/harness.ts'
import type { ChaosFigures } from './figures.ts'
import type { MovingSource } from './moving-source.ts'
import { type FaultedRun, type ServerFault, SHORT_LEASE, type SourcePlan, type WavePlan } from './plan-wave.ts'
import { canFakeClocks, type RunEnd, startRun } from './start-run.ts'

export interface WaveRun extends RunEnd {
  /** The commit that the ref named all the while. */
  readonly head: string
  /** The fault that hit it: it still ran when it was sent its signal. A paused one was resumed past its lease. */
  readonly hit: FaultedRun['fault']
}

interface Wave {
  readonly plan: WavePlan
  readonly url: string
  readonly harness: Harness
  readonly sources: readonly MovingSource[]
  /** Folder of the clones, and of what node has compiled. */
  readonly home: string
  readonly figures: ChaosFigures
}

/** Longer than the lease of a run that was killed. */
const WAIT_MS = 4_000
const BUDGET_MS = 12_000
/** Of a run whose server may hang. */
const SHORT_BUDGET_MS = 2_500
/** Of a run that is paused: what ends it is to be the loss of its lease. */
const LONG_BUDGET_MS = 45_000

/** A wave over all sources, side by side, and what is done to it; ends when all its processes have. */
export async function injectFaults(wave: Wave): Promise<readonly WaveRun[]> {
  const { plan, sources } = wave
  const database = injectIntoDatabase(wave)
  // Also after Ctrl-C nothing is left behind that still restarts a server or waits for a process.
  const settled = await Promise.allSettled([
    ...sources.map((source, i) => injectIntoSource(wave, source, plan.sources[i]!, `${i}`)),
    database.then(() => []),
  ])
  return settled.flatMap((part) => {
    if (part.status === 'rejected') throw part.reason
    return part.value
  })
}

async function injectIntoSource(
  wave: Wave,
  source: MovingSource,
  { runs, serverFault, serverFaultAfterRequests }: SourcePlan,
  name: string,
): Promise<readonly WaveRun[]> {
  const done: WaveRun[] = []
  for (const [i, run] of runs.entries()) {
    wave.harness.signal.throwIfAborted()
    await source.move(run.move)
    if (run.move.kind === 'rewritten') wave.figures.rewrittenHistories++
    const ended = new AbortController()
    const { server } = source
    const serverFaulted =
      i === 0 && serverFault !== null && server !== null
        ? injectIntoServer(wave.figures, server, serverFault, serverFaultAfterRequests, ended.signal)
        : null
    const budgetMs = serverFaulted ? SHORT_BUDGET_MS : BUDGET_MS
    done.push(...(await injectIntoRun(wave, source, run, { budgetMs, name: `${name}-${i}` })))
    ended.abort()
    await serverFaulted
  }
  return done
}

/** Starts a run, and others beside it, injects its fault, and waits for the ends of all. */
async function injectIntoRun(
  { plan, url, harness: { signal }, home, figures }: Wave,
  { id, repo, positions }: MovingSource,
  { fault, trigger, overlapped, clock }: FaultedRun,
  { budgetMs, name }: { budgetMs: number; name: string },
): Promise<readonly WaveRun[]> {
  const start = (role: string, options: { waitMs: number; budgetMs: number }, clock: FaultedRun['clock'] = null) =>
    startRun({
      name: `wave-${plan.wave}-${name}-${role}`,
      url,
      source: { id, repo, ref: 'main' },
      options: { ...options, clones: join(home, 'clones') },
      compileCache: join(home, 'compile-cache'),
      clock,
      signal,
    })
  const run = start('run', { waitMs: WAIT_MS, budgetMs: fault === 'paused' ? LONG_BUDGET_MS : budgetMs }, clock)
  const others = overlapped ? [start('concurrent', { waitMs: 0, budgetMs })] : []
  if (overlapped) figures.overlaps++
  if (clock !== null && canFakeClocks) figures.clockFaults++

  const head = positions.at(-1)!
  let hit: WaveRun['hit'] = 'none'
  if (fault !== 'none' && (await run.reaches(trigger))) {
    if (fault === 'paused') {
      if (run.send('SIGSTOP')) {
        const expired = sleep(SHORT_LEASE.ttlMs, undefined, { signal })
        const successor = start('successor', { waitMs: WAIT_MS, budgetMs })
        others.push(successor)
        await Promise.all([expired, successor.ended])
        if (run.send('SIGCONT')) hit = fault
      }
    } else if (run.send(fault)) hit = fault
  }
  const end = await run.ended
  // A kill after the result took nothing away.
  if (hit === 'SIGKILL' && end.result === null) figures.kills++
  if (hit === 'SIGTERM') figures.terminations++
  const ends = await Promise.all(others.map(({ ended }) => ended))
  return [{ ...end, head, hit }, ...ends.map((end) => ({ ...end, head, hit: 'none' as const }))]
}

/** Lets a server answer some requests, then not as it should, until the signal. */
async function injectIntoServer(
  figures: ChaosFigures,
  server: NonNullable<MovingSource['server']>,
  fault: ServerFault,
  afterRequests: number,
  signal: AbortSignal,
): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => resolve(), { once: true })
  for (let n = 0; n < afterRequests && !signal.aborted; n++) await Promise.race([server.requested(), over])
  const before = server.requests
  server.mood = fault
  await over
  figures.gitFaults[fault] += server.requests - before
  server.mood = 'serve'
}

async function injectIntoDatabase({ plan, url, harness, figures }: Wave): Promise<void> {
  if (plan.database === 'left alone') return
  const started = performance.now()
  for (const afterMs of plan.databaseAfterMs) {
    await sleep(Math.max(0, started + afterMs - performance.now()), undefined, { signal: harness.signal })
    if (plan.database === 'restarted') {
      await harness.server.restart()
      figures.restarts++
    } else {
      const { rows } = await withClient(url, (db) => db.query(CUT_SQL))
      figures.cutConnections += rows.length
    }
  }
}

/** Half of the connections that runs have. */
const CUT_SQL = /* sql */ `
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name LIKE 'wave-%' AND datname = current_database() AND random() < 0.5`
