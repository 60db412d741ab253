import { type FigureTable, grouped, milliseconds } from '../../ground/figure-table.ts'
import type { Ground } from '../../ground/ground.ts'
import type { Check, Part, Stage } from '../../ground/part.ts'
import { withClient } from '../../ground/with-client.ts'
import { measured } from '../measured.ts'
import { LEASES, WORKERS } from './contender.ts'
import { HELD_MS } from './handoff.ts'
import type { AllFigures, LockFigures } from './measure.ts'
import { SNAPSHOT_TIMES } from './old-snapshot.ts'

export interface LockSettings {
  readonly rounds: number
  /** How often a key is taken and given up in each round, and by each of the workers. */
  readonly acquisitions: number
  readonly handoffRounds: number
  readonly snapshotRounds: number
  /** Whether the times are held to their limits, which a machine that does other things does not keep. */
  readonly timeLimits: boolean
}

/** Times `@tidemark/lock` beside its peers and a minimal lease, on one Postgres. */
export async function benchLock(
  { rounds, acquisitions, handoffRounds, snapshotRounds, timeLimits }: LockSettings,
  { ground, tell }: Stage,
): Promise<Part<readonly LockFigures[]>> {
  tell('lock: five contenders take turns')
  const urls = [await createDurable(ground, 'bench_lock'), await createDurable(ground, 'bench_lock_snapshot')]
  const program = new URL('measure.ts', import.meta.url)
  const args = [...urls, rounds, acquisitions, handoffRounds, snapshotRounds]
  const figures = await measured<AllFigures>(program, args, ground.signal)
  return { figures, checks: [...checkCounts(figures), ...(timeLimits ? checkTimes(figures) : [])] }
}

/** The tests' server has it off, and ours turns it on for what a crash must not forget: so it is on for all of them. */
async function createDurable({ createDatabase }: Ground, name: string): Promise<string> {
  const url = await createDatabase(name)
  await withClient(url, (db) => db.query(`ALTER DATABASE ${name} SET synchronous_commit = on`))
  return url
}

const check = (promise: string, kept: boolean, seen: string): Check => ({ promise, kept, seen })
const atMost = (promise: string, value: number | null, limit: number, show: Show) =>
  check(promise, value !== null && value <= limit, show(value))

function checkCounts([ours]: AllFigures): readonly Check[] {
  const { acquireReleaseStatements, renewStatements, hotShare, waiterQueriesPerSecond } = ours
  return [
    check(
      `acquire, release and the renewal of ${LEASES} leases are one statement each`,
      acquireReleaseStatements === 2 && renewStatements === 1,
      `${acquireReleaseStatements} for acquire + release, ${renewStatements} for renewing`,
    ),
    atMost('a waiter sends at most 10 queries a second', waiterQueriesPerSecond, 10, decimal),
    check('at least 95% of the updates stay on their page (HOT)', hotShare! >= 0.95, percent(hotShare)),
  ]
}

function checkTimes([ours, listening, verrou, , minimal]: AllFigures): readonly Check[] {
  const ratio = ({ acquireReleaseMs }: LockFigures) => ours.acquireReleaseMs! / acquireReleaseMs!
  return [
    atMost('acquire + release: no slower than verrou, but for 5% of noise', ratio(verrou), 1.05, times),
    atMost('acquire + release: at most 1.5 × a minimal lease', ratio(minimal), 1.5, times),
    check(
      `${WORKERS} workers: at least as many leases a second as with verrou`,
      ours.leasesPerSecond! >= verrou.leasesPerSecond!,
      `${rounded(ours.leasesPerSecond)}, with verrou ${rounded(verrou.leasesPerSecond)}`,
    ),
    atMost(`a key held for ${HELD_MS} ms is handed over within 100 ms`, ours.handoffMs, 100, milliseconds),
    atMost('with `listen` it is handed over within 20 ms', listening.handoffMs, 20, milliseconds),
    atMost(
      `${grouped(SNAPSHOT_TIMES)} × acquire + release beside an old snapshot last at most 1.3 × as long`,
      ours.snapshotSlowdown,
      1.3,
      times,
    ),
  ]
}

export function lockTable(figures: readonly LockFigures[]): FigureTable {
  const row = (what: string, show: (figures: LockFigures) => string) => [what, ...figures.map(show)]
  return {
    title: 'Lock: medians, on one Postgres, with synchronous_commit on',
    columns: figures.map(({ name }) => name),
    rows: [
      row('acquire + release', (each) => milliseconds(each.acquireReleaseMs)),
      row(`${WORKERS} workers: leases a second`, (each) => rounded(each.leasesPerSecond)),
      row(`renew ${LEASES} leases`, (each) => milliseconds(each.renewMs)),
      row('hand-over to a waiter', (each) => milliseconds(each.handoffMs)),
      row('queries a second of a waiter', (each) => decimal(each.waiterQueriesPerSecond)),
      row('updates on their page (HOT)', (each) => percent(each.hotShare)),
      row('beside an old snapshot', (each) => times(each.snapshotSlowdown)),
    ],
    notes: figures.map(({ name, caveats }) => `${name}: ${caveats}`),
  }
}

type Show = (value: number | null) => string
const orDash =
  (show: (value: number) => string): Show =>
  (value) =>
    value === null ? '–' : show(value)
const rounded = orDash(grouped)
const decimal = orDash((value) => value.toFixed(1))
const percent = orDash((value) => `${(value * 100).toFixed(1)}%`)
const times = orDash((value) => `${value.toFixed(2)} ×`)
