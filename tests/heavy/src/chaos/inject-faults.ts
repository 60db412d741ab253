import { setTimeout as sleep } from 'node:timers/promises'
import { type Harness, withClient } from '../harness/harness.ts'
import type { MovingSource } from './moving-source.ts'
import { type FaultedRun, LEFT_ALONE, SHORT_LEASE, type WavePlan } from './plan-wave.ts'
import { canFakeClocks, type Run, type RunStart, startRun } from './start-run.ts'
import type { watchMachine } from './watch-machine.ts'

type Fault = FaultedRun['fault']
export type WaveRun = Awaited<ReturnType<typeof injectIntoRun>>[number]

interface Wave {
  readonly plan: WavePlan
  readonly url: string
  readonly harness: Harness
  readonly sources: readonly MovingSource[]
  readonly home: string
  readonly count: (what: string, times?: number) => void
  readonly machine: Awaited<ReturnType<typeof watchMachine>>
  /** Names of the runs that have not ended, and of those whose connections were cut. */
  readonly underWay: Set<string>
  readonly cutOff: Set<string>
}

/** Longer than the lease of a run that was killed. */
const WAIT_MS = 4_000
const BUDGET_MS = 12_000
/** Without a beat for this long, which is near to what a lease has left after its last one, nobody can keep a lease. */
const MAX_STALL_MS = (SHORT_LEASE.ttlMs - SHORT_LEASE.marginMs - SHORT_LEASE.heartbeatMs) * 0.8
const SERVER_FAULT_BUDGET_MS = 2_500
/** What ends a run that is paused or hangs is to be the loss of its lease. */
const BUDGETS_MS: { readonly [Each in Fault]?: number } = { paused: 45_000, hung: 45_000, timeout: 4_000 }

/** What is done to a run that has come to the moment of its fault. @returns whether it hit, that is, it still ran. */
const INJECT: Record<Fault, (run: Run, startSuccessor: () => Promise<Run>) => Promise<boolean | 'stuck'>> = {
  none: async () => false,
  SIGKILL: async (run) => run.send('SIGKILL'),
  SIGTERM: async (run, startSuccessor) => run.send('SIGTERM') && INJECT.timeout(run, startSuccessor),
  async timeout({ ended, statement }) {
    await ended
    await statement?.release()
    return true
  },
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
  async hung({ statement }, startSuccessor) {
    const successor = await startSuccessor()
    // Which is held at the same statement: when that of the first run arrives, the lease is another's.
    const [givenUp] = await Promise.all([statement!.givenUp(), successor.triggered])
    await statement!.release()
    await successor.statement!.release()
    return givenUp || 'stuck'
  },
}

/** A wave over all sources, side by side, and what is done to it; ends when all its processes have. */
export async function injectFaults(settings: Omit<Wave, 'underWay' | 'cutOff'>): Promise<readonly WaveRun[]> {
  const wave = { ...settings, underWay: new Set<string>(), cutOff: new Set<string>() }
  const { plan, sources } = wave
  const moments = sources.map((source, i) => runInTurn(wave, source, plan.sources[i]!.moments, `${i}-moment`))
  const early = await settleAll(moments)
  const storm = sources.map((source, i) => runInTurn(wave, source, plan.sources[i]!.storm, `${i}-storm`))
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

async function runInTurn(wave: Wave, source: MovingSource, plans: readonly FaultedRun[], name: string) {
  const done: WaveRun[] = []
  for (const [i, plan] of plans.entries()) done.push(...(await injectIntoRun(wave, source, plan, `${name}-${i}`)))
  return done
}

/** Moves the ref, starts a run, and others beside it, injects its fault, and waits for the ends of all. */
async function injectIntoRun(
  { plan: { wave }, url, harness: { signal }, home, count, machine, underWay, cutOff }: Wave,
  { id, repo, server, positions, move }: MovingSource,
  plan: FaultedRun,
  name: string,
) {
  const { fault, after, overlapped, clock } = plan
  signal.throwIfAborted()
  await move(plan)
  const serverFault = server && plan.serverFault
  if (serverFault) Object.assign(server, serverFault)
  const budgetMs = serverFault ? SERVER_FAULT_BUDGET_MS : BUDGET_MS
  const runs: Run[] = []
  const startMs = performance.now()
  const start = async (role: string, options: RunStart['options'], plan?: FaultedRun) => {
    const about = { name: `wave-${wave}-${name}-${role}`, url, source: { id, repo, ref: 'main' }, home, signal }
    const run = await startRun({ ...about, options }, plan)
    runs.push(run)
    underWay.add(run.name)
    run.ended.catch(() => {}).finally(() => underWay.delete(run.name))
    return run
  }
  const run = await start('run', { waitMs: WAIT_MS, budgetMs: BUDGETS_MS[fault] ?? budgetMs }, plan)
  if (overlapped) await start('concurrent', { budgetMs })
  const successor = fault === 'hung' ? { ...LEFT_ALONE, after } : LEFT_ALONE
  const startSuccessor = () => start('successor', { waitMs: WAIT_MS, budgetMs }, successor)
  const injected = (await run.triggered) && (await INJECT[fault](run, startSuccessor))
  const ends = await Promise.all(runs.map(({ ended }) => ended))
  for (const { statement } of runs) statement?.close()

  if (serverFault) count(`requests ${serverFault.mood}`, Math.max(0, -server.requestsBefore))
  if (serverFault) server.mood = 'serve'
  if (overlapped) count('overlaps')
  if (clock !== null && canFakeClocks) count('wrong clocks')
  if (run.statement) count(injected ? 'moments' : 'missed moments')
  // A kill after the result took nothing away; of a pause the audit knows whether another took over.
  if (fault === 'SIGKILL' && injected && ends[0]!.result === null) count('kills')
  else if (injected && fault !== 'paused') count(fault)
  const stalled = machine.longestStallMs(startMs) > MAX_STALL_MS
  if (stalled) count('runs while the machine stalled', ends.length)
  return ends.map((end, i) => {
    /** The fault that hit it. */
    const hit = injected && i === 0 ? fault : 'none'
    /** Nothing else is a reason to lose a lease. */
    const mayLoseLease = stalled || cutOff.has(end.name) || ['SIGKILL', 'paused', 'hung'].includes(hit)
    /** The commit that the ref named all the while. */
    const head = positions.at(-1)!
    return { ...end, head, hit, mayLoseLease, serverFault, stuck: i === 0 && injected === 'stuck' }
  })
}

async function injectIntoDatabase({ plan, url, harness, count, underWay, cutOff }: Wave): Promise<void> {
  const startMs = performance.now()
  for (const afterMs of plan.databaseAfterMs) {
    await sleep(Math.max(0, startMs + afterMs - performance.now()), undefined, { signal: harness.signal })
    const share = plan.database === 'restarted' ? 1 : 0.5
    const { rows } = await withClient(url, (db) => db.query<{ name: string }>(CUT_SQL, [share]))
    for (const { name } of rows) cutOff.add(name)
    count('cut connections', rows.length)
    if (plan.database !== 'restarted') continue
    // Also one that connects until the server is away.
    for (const name of underWay) cutOff.add(name)
    await harness.server.restart()
    for (const name of underWay) cutOff.add(name)
    count('restarts')
  }
}

/** So large a share of the connections that runs have. */
const CUT_SQL = /* sql */ `
SELECT application_name AS name, pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name LIKE 'wave-%' AND datname = current_database() AND random() < $1`
