/**
 * Waves of syncs, and all that can go wrong with processes, connections, servers and clocks, until so much has been
 * injected as the settings say.
 *
 * A wave gives each source some runs, one after the other, all sources side by side (plan-wave, start-run). A run is
 * killed, terminated or paused at a trigger point; a paused one is resumed when a successor has taken its lease over.
 * Meanwhile connections are cut, Postgres restarts, servers of git fail (inject-faults). After each wave three things
 * are held against the invariants: what triggers noted of every write and lease (audit), how each run ended (check-run)
 * and what each source holds (verify-pages). At the end undisturbed runs must complete every source.
 *
 * A violation is shown with its seed and wave, and fails its invariant's check; the waves go on.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { migrate, openDatabase } from '@tidemark/sync-core'
import { type Check, type Harness, type Report, withClient } from '../harness/harness.ts'
import { sum } from '../harness/statistics.ts'
import { type AuditMemory, checkAudit, installAudit, takeAudit } from './audit.ts'
import { checkRun, describeEnd, wasTakenOver } from './check-run.ts'
import { type ChaosFigures, createFigures } from './figures.ts'
import { injectFaults, type WaveRun } from './inject-faults.ts'
import { checkInvariants, INVARIANTS, type Violation } from './invariants.ts'
import { createMovingSource, type MovingSource } from './moving-source.ts'
import { planWave, type WavePlan } from './plan-wave.ts'
import { canFakeClocks } from './start-run.ts'
import { verifyPages, verifyRecovery } from './verify-pages.ts'

/** How much is injected; waves go on until both numbers are reached. */
export interface ChaosSettings {
  /** Processes that are ended by SIGKILL. */
  readonly kills: number
  /** Processes that are paused until another has taken their lease over, and resumed. */
  readonly pauses: number
  /** How many sources are synced side by side. */
  readonly sources: number
}

export const CHAOS_PROFILES = {
  short: { kills: 10, pauses: 5, sources: 4 },
  long: { kills: 1_000, pauses: 500, sources: 6 },
} as const satisfies Record<string, ChaosSettings>

export async function runChaos(settings: ChaosSettings, harness: Harness): Promise<Report<ChaosFigures>> {
  const { seed, log, signal } = harness
  const started = performance.now()
  const home = join(harness.folder, 'chaos')
  await mkdir(home)
  await using resources = new AsyncDisposableStack()
  const sources = await Promise.all(
    Array.from({ length: settings.sources }, async (_, n) => resources.use(await createMovingSource(n, seed, home))),
  )
  const url = await harness.createDatabase('chaos')
  const db = await openDatabase(url)
  await migrate(db)
  await db.close()
  await withClient(url, installAudit)
  if (!canFakeClocks) log('NO CLOCK IS FAKED: libfaketime is not there (apt-get install libfaketime)')

  const figures = createFigures(seed)
  const verifyWave = createVerifier(url, sources, figures)
  const record = (wave: number, found: readonly Violation[]) => {
    for (const violation of found) {
      figures.violations.push({ ...violation, seed, wave })
      const { invariant, source, observed } = violation
      log(`VIOLATION, seed ${seed}, wave ${wave}, ${source}: ${INVARIANTS[invariant]}: ${observed}`)
    }
  }
  const maxWaves = Math.ceil(20 + (settings.kills + settings.pauses) / settings.sources) * 2
  while (!isEnough(figures, settings) && figures.waves < maxWaves) {
    signal.throwIfAborted()
    const plan = planWave(seed, ++figures.waves, sources.length)
    record(plan.wave, await verifyWave(plan, await injectFaults({ plan, url, harness, sources, home, figures })))
    signal.throwIfAborted()
    const { kills, pauses, violations } = figures
    log(
      `wave ${plan.wave}: ${kills} of ${settings.kills} kills, ${pauses} of ${settings.pauses} pauses, ${violations.length} violations`,
    )
  }
  log('undisturbed runs, and an import from nothing beside them')
  record(figures.waves + 1, await verifyRecovery(url, sources, home, harness))
  figures.elapsedSeconds = Math.round((performance.now() - started) / 1_000)
  return { figures, checks: createChecks(figures, settings) }
}

const isEnough = ({ kills, pauses }: ChaosFigures, settings: ChaosSettings) =>
  kills >= settings.kills && pauses >= settings.pauses

/** Looks at everything after a wave, and adds to the figures what it sees. */
function createVerifier(url: string, sources: readonly MovingSource[], figures: ChaosFigures) {
  const memory: AuditMemory = { pids: new Map(), tokens: new Map() }
  const since = new Map(sources.map(({ id }) => [id, 0]))
  return ({ database, sources: plans }: WavePlan, runs: readonly WaveRun[]): Promise<Violation[]> =>
    withClient(url, async (db) => {
      for (const { name, pid } of runs) memory.pids.set(name, pid)
      const audit = await takeAudit(db)
      figures.writesAudited += audit.writes.length
      figures.leasesAudited += audit.leases.filter(({ holderPid }) => holderPid !== null).length
      const violations = checkAudit(audit, memory)
      for (const [i, source] of sources.entries()) {
        const { serverFault } = plans[i]!
        for (const run of runs.filter((run) => run.source === source.id)) {
          violations.push(...checkRun(run, { database, serverFault, audit }))
          if (run.hit === 'paused' && wasTakenOver(run, audit)) figures.pauses++
          const end = describeEnd(run)
          figures.runs[end] = (figures.runs[end] ?? 0) + 1
        }
        const verified = await verifyPages(db, source, since.get(source.id)!)
        violations.push(...verified.violations)
        figures.verified[verified.finished ? 'finished' : 'unfinished']++
        // Where the ref is now may not have been begun yet.
        if (verified.finished) since.set(source.id, source.positions.length - 1)
      }
      return violations
    })
}

/** One check for each invariant, and two on whether there was anything to hold them against. */
function createChecks(figures: ChaosFigures, settings: ChaosSettings): Check[] {
  const { violations, verified, writesAudited, leasesAudited, kills, pauses } = figures
  const runs = `${sum(Object.values(figures.runs))} runs`
  const invariants = checkInvariants(violations, {
    complete: `${verified.finished} sources`,
    mixture: `${verified.unfinished} sources`,
    unique: `${verified.finished + verified.unfinished} sources`,
    tokens: `${leasesAudited} leases`,
    alive: `${leasesAudited} leases`,
    fenced: `${writesAudited} writes`,
    resumed: `${pauses} resumed`,
    bookmark: runs,
    ended: runs,
    recovered: 'all sources',
    derived: 'all sources',
  })
  return [
    ...invariants,
    {
      check: 'As much was injected as was asked for',
      passed: isEnough(figures, settings),
      observed: `${kills} kills, ${pauses} pauses`,
    },
    {
      check: 'The clocks of processes could be put wrong',
      // Where a person runs it, a fault that cannot be injected is shown and no more.
      passed: canFakeClocks || process.env.CI !== 'true',
      observed: `${figures.clocks}, ${figures.clockFaults} processes`,
    },
  ]
}
