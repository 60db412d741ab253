import { type Check, type Harness, type Report, withClient } from '../../harness/harness.ts'
import { runMeasurement } from '../../harness/process.ts'
import { figureTable, formatCount, formatMs, formatPercent, type Table } from '../../harness/tables.ts'
import { LOCK } from '../../harness/thresholds.ts'
import { LEASES, WORKERS } from './contender.ts'
import type { AllFigures, LockFigures } from './measure.ts'
import { HELD_MS, SNAPSHOT_TIMES } from './timings.ts'

export interface LockSettings {
  readonly rounds: number
  /** How often a key is acquired and released in each round, and by each of the workers. */
  readonly acquisitions: number
  readonly handoffRounds: number
  readonly snapshotRounds: number
  /** Whether times are checked too: a machine that does other things does not keep their thresholds. */
  readonly checksTimes: boolean
}

/** Times `@tidemark/lock` beside its peers and a minimal lease, on one Postgres. */
export async function benchLock(
  { rounds, acquisitions, handoffRounds, snapshotRounds, checksTimes }: LockSettings,
  harness: Harness,
): Promise<Report<readonly LockFigures[]>> {
  harness.log('lock: five contenders take turns')
  const urls = [await createDurable(harness, 'bench_lock'), await createDurable(harness, 'bench_lock_snapshot')]
  const args = [...urls, rounds, acquisitions, handoffRounds, snapshotRounds]
  const figures = await runMeasurement<AllFigures>(new URL('measure.ts', import.meta.url), args, harness.signal)
  return { figures, checks: [...checkCounts(figures), ...(checksTimes ? checkTimes(figures) : [])] }
}

/** The tests' server has it off, and ours turns it on for what a crash must not forget: so it is on for all of them. */
async function createDurable({ createDatabase }: Harness, name: string): Promise<string> {
  const url = await createDatabase(name)
  await withClient(url, (db) => db.query(`ALTER DATABASE ${name} SET synchronous_commit = on`))
  return url
}

function checkCounts([ours]: AllFigures): readonly Check[] {
  const { acquireReleaseStatements, renewStatements, hotShare, waiterQueriesPerSecond } = ours
  const { maxWaiterQueriesPerSecond, minHotShare } = LOCK
  return [
    {
      check: `acquire, release and the renewal of ${LEASES} leases are one statement each`,
      passed: acquireReleaseStatements === 2 && renewStatements === 1,
      observed: `${acquireReleaseStatements} for acquire + release, ${renewStatements} for renewing`,
    },
    atMost(
      `a waiter sends at most ${maxWaiterQueriesPerSecond} queries a second`,
      waiterQueriesPerSecond,
      maxWaiterQueriesPerSecond,
      decimal,
    ),
    {
      check: `at least ${formatPercent(minHotShare)} of the updates stay on their page (HOT)`,
      passed: hotShare! >= minHotShare,
      observed: percent(hotShare),
    },
  ]
}

function checkTimes([ours, listening, verrou, , minimal]: AllFigures): readonly Check[] {
  const { maxOfVerrou, maxOfMinimalLease, maxHandoffMs, maxListeningHandoffMs, maxSnapshotSlowdown } = LOCK
  const ratioTo = ({ acquireReleaseMs }: LockFigures) => ours.acquireReleaseMs! / acquireReleaseMs!
  const noise = formatPercent(maxOfVerrou - 1)
  const besideSnapshot = `${formatCount(SNAPSHOT_TIMES)} × acquire + release beside an old snapshot`
  return [
    atMost(`acquire + release: no slower than verrou, but for ${noise} of noise`, ratioTo(verrou), maxOfVerrou, factor),
    atMost(
      `acquire + release: at most ${maxOfMinimalLease} × a minimal lease`,
      ratioTo(minimal),
      maxOfMinimalLease,
      factor,
    ),
    {
      check: `${WORKERS} workers: at least as many leases a second as with verrou`,
      passed: ours.leasesPerSecond! >= verrou.leasesPerSecond!,
      observed: `${count(ours.leasesPerSecond)}, with verrou ${count(verrou.leasesPerSecond)}`,
    },
    atMost(
      `a key held for ${HELD_MS} ms is handed over within ${maxHandoffMs} ms`,
      ours.handoffMs,
      maxHandoffMs,
      duration,
    ),
    atMost(
      `with \`listen\` it is handed over within ${maxListeningHandoffMs} ms`,
      listening.handoffMs,
      maxListeningHandoffMs,
      duration,
    ),
    atMost(
      `${besideSnapshot} last at most ${maxSnapshotSlowdown} × as long`,
      ours.snapshotSlowdown,
      maxSnapshotSlowdown,
      factor,
    ),
  ]
}

const atMost = (check: string, value: number | null, max: number, format: Format): Check => ({
  check,
  passed: value !== null && value <= max,
  observed: format(value),
})

export function lockTable(figures: readonly LockFigures[]): Table {
  const title = 'Lock: medians, on one Postgres, with synchronous_commit on'
  const notes = figures.map(({ name, caveats }) => `${name}: ${caveats}`)
  return figureTable({ title, notes }, figures, ({ name }) => name, {
    'acquire + release': ({ acquireReleaseMs }) => duration(acquireReleaseMs),
    [`${WORKERS} workers: leases a second`]: ({ leasesPerSecond }) => count(leasesPerSecond),
    [`renew ${LEASES} leases`]: ({ renewMs }) => duration(renewMs),
    'handoff to a waiter': ({ handoffMs }) => duration(handoffMs),
    'queries a second of a waiter': ({ waiterQueriesPerSecond }) => decimal(waiterQueriesPerSecond),
    'updates on their page (HOT)': ({ hotShare }) => percent(hotShare),
    'beside an old snapshot': ({ snapshotSlowdown }) => factor(snapshotSlowdown),
  })
}

type Format = (value: number | null) => string
const orDash =
  (format: (value: number) => string): Format =>
  (value) =>
    value === null ? '–' : format(value)
const [count, duration, percent] = [orDash(formatCount), orDash(formatMs), orDash(formatPercent)]
const decimal = orDash((value) => value.toFixed(1))
const factor = orDash((value) => `${value.toFixed(2)} ×`)
