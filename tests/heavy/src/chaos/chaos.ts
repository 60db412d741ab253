/**
 * Waves of syncs, and all that can go wrong with processes, connections, servers and clocks, until so much has been
 * injected as the settings say.
 *
 * A wave gives each source some runs, one after the other, all sources side by side (plan-wave, start-run). First come
 * planned moments, in which a statement is held on its way (hold-statement) until its lease is another's; then the
 * storm, in which runs are killed, terminated or paused at moments of chance, connections are cut, Postgres restarts
 * and servers of git fail (inject-faults). After each wave these are held against the invariants: what triggers
 * noted of every write and lease (audit), how each run ended (check-run) and what each source holds (verify-pages), beside
 * what a reader of its changes has (follow-changes). At the end undisturbed runs must complete every source.
 *
 * A violation is shown with its seed and wave, and fails its invariant's check; the waves go on.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Database, migrate, openDatabase, syncSource } from '@tidemark/sync-core'
import { type Check, type Harness, withClient } from '../harness/harness.ts'
import { createNoteChecker, installAudit, takeNotes, wasTakenOver } from './audit.ts'
import { checkRun, describeEnd } from './check-run.ts'
import { followSource } from './follow-changes.ts'
import { injectFaults, type WaveRun } from './inject-faults.ts'
import { checkInvariants, INVARIANTS, type Violation } from './invariants.ts'
import { createMovingSource, type MovingSource } from './moving-source.ts'
import { planWave, type WavePlan } from './plan-wave.ts'
import { canFakeClocks } from './start-run.ts'
import { createPageVerifier } from './verify-pages.ts'
import { watchMachine } from './watch-machine.ts'

/** How much is injected; waves go on until both numbers are reached. */
export interface ChaosSettings {
  /** Processes that are ended by SIGKILL. */
  readonly kills: number
  /** Processes that are paused until another has taken their lease over, and resumed. */
  readonly pauses: number
  /** How many sources are synced side by side. */
  readonly sources: number
}

export async function runChaos(settings: ChaosSettings, harness: Harness) {
  const { seed, log, signal } = harness
  const startMs = performance.now()
  const home = join(harness.folder, 'chaos')
  await mkdir(home)
  await using resources = new AsyncDisposableStack()
  const open = async (url: string) => {
    const db = resources.adopt(await openDatabase(url, { signal }), (db) => db.close())
    await migrate(db)
    return db
  }
  const url = await harness.createDatabase('chaos')
  const db = await open(url)
  await withClient(url, installAudit)
  const machine = resources.use(await watchMachine(url))
  const reference = await open(await harness.createDatabase('chaos_reference'))
  const created = Array.from({ length: settings.sources }, (_, n) => createMovingSource(n, seed, home))
  const sources = (await Promise.all(created)).map((source) => resources.use(source))
  if (!canFakeClocks) log('NO CLOCK IS FAKED: libfaketime is not there (apt-get install libfaketime)')

  const violations: Violation[] = []
  /** What was injected, only where it has hit, what was looked at, and how runs have ended. */
  const counts: Record<string, number> = { waves: 0, kills: 0, pauses: 0 }
  const count = (what: string, times = 1) => {
    counts[what] = (counts[what] ?? 0) + times
  }
  const record = (found: readonly Violation[]) => {
    for (const [invariant, observed] of found) {
      violations.push([invariant, `seed ${seed}, wave ${counts.waves}: ${observed}`])
      log(`VIOLATION, seed ${seed}, wave ${counts.waves}: ${INVARIANTS[invariant][0]}: ${observed}`)
    }
  }
  const readers = sources.map(({ id }) => resources.use(followSource(db, id, signal)))
  const verifyPages = createVerifier(url, sources, reference, signal, count)
  const verifyWave = async (...wave: Parameters<typeof verifyPages>) => {
    const followed = (await Promise.all(readers.map((reader) => reader.verify()))).flat()
    count('readers', readers.length)
    return [...(await verifyPages(...wave)), ...followed]
  }
  const isEnough = () => counts.kills! >= settings.kills && counts.pauses! >= settings.pauses
  const maxWaves = Math.ceil(20 + (settings.kills + settings.pauses) / settings.sources) * 2
  while (!isEnough() && counts.waves! < maxWaves) {
    signal.throwIfAborted()
    count('waves')
    const plan = planWave(seed, counts.waves!, sources.length)
    record(await verifyWave(await injectFaults({ plan, url, harness, sources, home, count, machine }), plan))
    const amounts = `${counts.kills} of ${settings.kills} kills, ${counts.pauses} of ${settings.pauses} pauses`
    log(`wave ${counts.waves}: ${amounts}, ${violations.length} violations`)
  }
  signal.throwIfAborted()
  log('undisturbed runs')
  for (const { id, repo, positions } of sources) {
    const options = { clones: join(home, 'clones'), waitMs: 10_000, signal }
    const { status, bookmark } = await syncSource(db, { id, repo, ref: 'main' }, options)
    const complete = ['first_sync', 'synced', 'up_to_date'].includes(status) && bookmark === positions.at(-1)
    if (!complete) record([['recovered', `${id} is ${status} at ${bookmark}`]])
    count('recovered')
  }
  record(await verifyWave([]))
  const elapsedSeconds = Math.round((performance.now() - startMs) / 1_000)
  const checks = [...checkInvariants(violations, counts), ...checkAmounts(counts, isEnough())]
  return { figures: { seed, elapsedSeconds, counts, violations }, checks }
}

/** Looks at everything after a wave, and counts what it sees. */
function createVerifier(
  url: string,
  sources: readonly MovingSource[],
  reference: Database,
  signal: AbortSignal,
  count: (what: string, times?: number) => void,
) {
  // The runs of this process, at the end, are undisturbed.
  const known = new Map([[process.pid, { name: 'tidemark', mayLoseLease: false }]])
  const checkNote = createNoteChecker(known)
  const verifiers = sources.map((source) => ({ id: source.id, ...createPageVerifier(source, reference, signal) }))
  return (runs: readonly WaveRun[], plan?: WavePlan): Promise<Violation[]> =>
    withClient(url, async (db) => {
      for (const run of runs) known.set(run.pid, run)
      const notes = await takeNotes(db)
      const violations = notes.flatMap((note) => [...checkNote(note)])
      for (const { what } of notes) count(NOTED[what])
      for (const run of runs) {
        violations.push(...checkRun(run, plan!.database, notes))
        if (run.hit === 'paused' && wasTakenOver(run, notes)) count('pauses')
        count('runs')
        count(`runs: ${describeEnd(run)}`)
      }
      for (const { id, verifyMove, verifyPages } of verifiers) {
        const moves = notes.filter(({ what, key }) => what === 'finished' && key === `sync:${id}`)
        for (const move of moves) violations.push(...(await verifyMove(move)))
        const verified = await verifyPages(db)
        violations.push(...verified.violations)
        count(verified.finished ? 'finished' : 'unfinished')
        count('sources')
      }
      return violations
    })
}

const NOTED = { pages: 'writes', started: 'starts', finished: 'moves', lease: 'lease changes' }

/** Whether there was anything to hold the invariants against. */
function checkAmounts(counts: Readonly<Record<string, number>>, isEnough: boolean): Check[] {
  const { kills, pauses, moments = 0, 'missed moments': missed = 0, 'wrong clocks': clocks = 0 } = counts
  const reached = `${moments} moments, ${missed} missed`
  // Where a person runs it, a fault that cannot be injected is shown and no more.
  const mustFake = process.env.CI === 'true'
  const faked = `${canFakeClocks ? 'faked' : 'skipped: libfaketime is not there'}, ${clocks} processes`
  return [
    { check: 'As much was injected as was asked for', passed: isEnough, observed: `${kills} kills, ${pauses} pauses` },
    { check: 'Runs came to the moments planned for them', passed: moments > 0 && missed === 0, observed: reached },
    { check: 'The clocks of processes could be put wrong', passed: canFakeClocks || !mustFake, observed: faked },
  ]
}
