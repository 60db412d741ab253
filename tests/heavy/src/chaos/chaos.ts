/**
 * Waves of syncs, and all that can go wrong with processes, connections, servers and clocks, until so much has been
 * injected as the settings say.
 *
 * A wave gives each source some runs, one after the other, all sources side by side (plan-wave, start-run). First come
 * planned moments, in which a statement is held on its way (hold-statement) until its lease is another's; then the
 * storm, in which runs are killed, terminated or paused at moments of chance, connections are cut, Postgres restarts
 * and servers of git fail (inject-faults). After each wave three things are held against the invariants: what triggers
 * noted of every write and lease (audit), how each run ended (check-run) and what each source holds (verify-pages). At
 * the end undisturbed runs must complete every source.
 *
 * A violation is shown with its seed and wave, and fails its invariant's check; the waves go on.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Database, migrate, openDatabase, syncSource } from '@tidemark/sync-core'
import { type Check, type Harness, type Report, withClient } from '../harness/harness.ts'
import { type AuditMemory, checkNotes, installAudit, takeNotes, wasTakenOver } from './audit.ts'
import { checkRun, describeEnd } from './check-run.ts'
import { injectFaults, type WaveRun } from './inject-faults.ts'
import { type Counts, checkInvariants, INVARIANTS, type Violation } from './invariants.ts'
import { createMovingSource, type MovingSource } from './moving-source.ts'
import { planWave, SHORT_LEASE, type WavePlan } from './plan-wave.ts'
import { canFakeClocks } from './start-run.ts'
import { createPageVerifier } from './verify-pages.ts'

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

export interface ChaosFigures {
  readonly seed: number
  readonly waves: number
  readonly elapsedSeconds: number
  /** What was injected, only where it has hit, and what was looked at. */
  readonly counts: Counts
  /** How runs have ended. */
  readonly runs: Readonly<Record<string, number>>
  readonly violations: readonly (Violation & { readonly wave: number })[]
}

export async function runChaos(settings: ChaosSettings, harness: Harness): Promise<Report<ChaosFigures>> {
  const { seed, log, signal } = harness
  const startMs = performance.now()
  const home = join(harness.folder, 'chaos')
  await mkdir(home)
  await using resources = new AsyncDisposableStack()
  const open = async (url: string) => {
    const db = resources.adopt(await openDatabase(url, { ...SHORT_LEASE, signal }), (db) => db.close())
    await migrate(db)
    return db
  }
  const url = await harness.createDatabase('chaos')
  const db = await open(url)
  await withClient(url, installAudit)
  const reference = await open(await harness.createDatabase('chaos_reference'))
  const created = Array.from({ length: settings.sources }, (_, n) => createMovingSource(n, seed, home))
  const sources = (await Promise.all(created)).map((source) => resources.use(source))
  if (!canFakeClocks) log('NO CLOCK IS FAKED: libfaketime is not there (apt-get install libfaketime)')

  const counts: Counts = { kills: 0, pauses: 0 }
  const count = (what: string, times = 1) => {
    counts[what] = (counts[what] ?? 0) + times
  }
  const runs: Record<string, number> = {}
  const violations: (Violation & { wave: number })[] = []
  const record = (wave: number, found: readonly Violation[]) => {
    for (const violation of found) {
      violations.push({ ...violation, wave })
      const { invariant, source, observed } = violation
      log(`VIOLATION, seed ${seed}, wave ${wave}, ${source}: ${INVARIANTS[invariant][0]}: ${observed}`)
    }
  }
  const verifyWave = createVerifier({ url, sources, reference, signal, count, runs })
  const isEnough = () => counts.kills! >= settings.kills && counts.pauses! >= settings.pauses
  const maxWaves = Math.ceil(20 + (settings.kills + settings.pauses) / settings.sources) * 2
  let wave = 0
  while (!isEnough() && wave < maxWaves) {
    signal.throwIfAborted()
    const plan = planWave(seed, ++wave, sources.length)
    record(wave, await verifyWave(await injectFaults({ plan, url, harness, sources, home, count }), plan))
    const { kills, pauses } = counts
    const amounts = `${kills} of ${settings.kills} kills, ${pauses} of ${settings.pauses} pauses`
    log(`wave ${wave}: ${amounts}, ${violations.length} violations`)
  }
  signal.throwIfAborted()
  log('undisturbed runs')
  record(wave + 1, [...(await completeSources(db, sources, home, signal)), ...(await verifyWave([]))])
  count('recovered', sources.length)
  const elapsedSeconds = Math.round((performance.now() - startMs) / 1_000)
  const figures = { seed, waves: wave, elapsedSeconds, counts, runs, violations }
  return { figures, checks: [...checkInvariants(violations, counts), ...checkAmounts(counts, isEnough())] }
}

interface Verification {
  readonly url: string
  readonly sources: readonly MovingSource[]
  /** Where commits are imported from nothing. */
  readonly reference: Database
  readonly signal: AbortSignal
  readonly count: (what: string, times?: number) => void
  readonly runs: Record<string, number>
}

/** Looks at everything after a wave, and counts what it sees. */
function createVerifier({ url, sources, reference, signal, count, runs: ends }: Verification) {
  // The runs of this process, at the end, are undisturbed.
  const ours = { name: 'tidemark', mayLoseLease: false }
  const memory: AuditMemory = { runs: new Map([[process.pid, ours]]), tokens: new Map() }
  const verifiers = sources.map((source) => createPageVerifier(source, reference, signal))
  return (runs: readonly WaveRun[], plan?: WavePlan): Promise<Violation[]> =>
    withClient(url, async (db) => {
      for (const run of runs) memory.runs.set(run.pid, run)
      const notes = await takeNotes(db)
      const violations = checkNotes(notes, memory)
      count('leases', notes.filter(({ what, holderPid }) => what === 'lease' && holderPid !== null).length)
      count('writes', notes.filter(({ what }) => what !== 'lease').length)
      for (const run of runs) {
        const { serverFault } = plan!.sources[sources.findIndex(({ id }) => id === run.source)]!
        violations.push(...checkRun(run, { database: plan!.database, serverFault, notes }))
        if (run.hit === 'paused' && wasTakenOver(run, notes)) count('pauses')
        const end = describeEnd(run)
        ends[end] = (ends[end] ?? 0) + 1
      }
      count('runs', runs.length)
      for (const [i, { id }] of sources.entries()) {
        for (const note of notes) {
          if (note.what !== 'finished' || note.source !== id) continue
          count('moves')
          violations.push(...(await verifiers[i]!.verifyMove(note)))
        }
        const verified = await verifiers[i]!.verifyPages(db)
        violations.push(...verified.violations)
        count(verified.finished ? 'finished' : 'unfinished')
        count('sources')
      }
      return violations
    })
}

/** Runs every source once more, undisturbed. */
async function completeSources(db: Database, sources: readonly MovingSource[], home: string, signal: AbortSignal) {
  const violations: Violation[] = []
  for (const { id, repo, positions } of sources) {
    const options = { clones: join(home, 'clones'), waitMs: 10_000, signal }
    const { status, bookmark } = await syncSource(db, { id, repo, ref: 'main' }, options)
    if (!['first_sync', 'synced', 'up_to_date'].includes(status) || bookmark !== positions.at(-1)) {
      violations.push({ invariant: 'recovered', source: id, observed: `${status} at ${bookmark}` })
    }
  }
  return violations
}

/** Whether there was anything to hold the invariants against. */
function checkAmounts(counts: Counts, isEnough: boolean): Check[] {
  const { kills, pauses, moments = 0, 'missed moments': missed = 0, 'wrong clocks': clocks = 0 } = counts
  return [
    {
      check: 'As much was injected as was asked for',
      passed: isEnough,
      observed: `${kills} kills, ${pauses} pauses`,
    },
    {
      check: 'Runs came to the moments that were planned for them',
      passed: moments > 0 && missed === 0,
      observed: `${moments} moments, ${missed} missed`,
    },
    {
      check: 'The clocks of processes could be put wrong',
      // Where a person runs it, a fault that cannot be injected is shown and no more.
      passed: canFakeClocks || process.env.CI !== 'true',
      observed: `${canFakeClocks ? 'faked' : 'skipped: libfaketime is not there'}, ${clocks} processes`,
    },
  ]
}
