import { type Check, type Harness, withClient } from '../../harness/harness.ts'
import { runMeasurement } from '../../harness/process.ts'
import { formatCount, formatMs, formatPercent, renderFigures } from '../../harness/tables.ts'
import { LOCK } from '../../harness/thresholds.ts'
import { checkAtMost, formatFactor, orDash } from '../check-at-most.ts'
import type { AllFigures, LockFigures } from './measure.ts'
import { HELD_MS, LEASES, SNAPSHOT_TIMES, WORKERS } from './timings.ts'

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
export async function benchLock(settings: LockSettings, harness: Harness) {
  const { rounds, acquisitions, handoffRounds, snapshotRounds, checksTimes } = settings
  harness.log('lock: five contenders take turns')
  const urls = [await createDurable(harness, 'bench_lock'), await createDurable(harness, 'bench_lock_snapshot')]
  const args = [...urls, rounds, acquisitions, handoffRounds, snapshotRounds]
  const figures = await runMeasurement<AllFigures>(new URL('measure.ts', import.meta.url), args, harness.signal)
  const checks = [...checkCounts(figures), ...(checksTimes ? checkTimes(figures) : [])]
  return { figures, checks, table: lockTable(figures) }
}

/** The tests' server has it off, and ours turns it on for what a crash must not forget: so it is on for all of them. */
async function createDurable({ createDatabase }: Harness, name: string): Promise<string> {
  const url = await createDatabase(name)
  await withClient(url, (db) => db.query(`ALTER DATABASE ${name} SET synchronous_commit = on`))
  return url
}

function checkCounts([ours]: AllFigures): readonly Check[] {
  const { acquireReleaseStatements, renewStatements, hotShare, waiterQueriesPerSecond } = ours
  return [
    {
      check: `acquire, release and the renewal of ${LEASES} leases are one statement each`,
      passed: acquireReleaseStatements === 2 && renewStatements === 1,
      observed: `${acquireReleaseStatements} for acquire + release, ${renewStatements} for renewing`,
    },
    checkAtMost('queries a second of a waiter', waiterQueriesPerSecond, LOCK.maxWaiterQueriesPerSecond, formatDecimal),
    {
      check: `at least ${formatPercent(LOCK.minHotShare)} of the updates stay on their page (HOT)`,
      passed: hotShare! >= LOCK.minHotShare,
      observed: orDash(hotShare, formatPercent),
    },
  ]
}

function checkTimes([ours, listening, verrou, , minimal]: AllFigures): readonly Check[] {
  const ratioTo = ({ acquireReleaseMs }: LockFigures) => ours.acquireReleaseMs! / acquireReleaseMs!
  const besideSnapshot = `${formatCount(SNAPSHOT_TIMES)} × acquire + release beside an old snapshot`
  return [
    checkAtMost('acquire + release, beside verrou', ratioTo(verrou), LOCK.maxOfVerrou, formatFactor),
    checkAtMost('acquire + release, beside a minimal lease', ratioTo(minimal), LOCK.maxOfMinimalLease, formatFactor),
    {
      check: `${WORKERS} workers: at least as many leases a second as with verrou`,
      passed: ours.leasesPerSecond! >= verrou.leasesPerSecond!,
      observed: `${formatCount(ours.leasesPerSecond!)}, with verrou ${formatCount(verrou.leasesPerSecond!)}`,
    },
    checkAtMost(`handoff of a key held for ${HELD_MS} ms`, ours.handoffMs, LOCK.maxHandoffMs, formatMs),
    checkAtMost('the same with `listen`', listening.handoffMs, LOCK.maxListeningHandoffMs, formatMs),
    checkAtMost(besideSnapshot, ours.snapshotSlowdown, LOCK.maxSnapshotSlowdown, formatFactor),
  ]
}

function lockTable(figures: readonly LockFigures[]): string {
  const title = 'Lock: medians, on one Postgres, with synchronous_commit on'
  const notes = figures.map(({ name, caveats }) => `${name}: ${caveats}`)
  return renderFigures({ title, notes }, figures, ({ name }) => name, {
    'acquire + release': ({ acquireReleaseMs }) => orDash(acquireReleaseMs, formatMs),
    [`${WORKERS} workers: leases a second`]: ({ leasesPerSecond }) => orDash(leasesPerSecond, formatCount),
    [`renew ${LEASES} leases`]: ({ renewMs }) => orDash(renewMs, formatMs),
    'handoff to a waiter': ({ handoffMs }) => orDash(handoffMs, formatMs),
    'queries a second of a waiter': ({ waiterQueriesPerSecond }) => orDash(waiterQueriesPerSecond, formatDecimal),
    'updates on their page (HOT)': ({ hotShare }) => orDash(hotShare, formatPercent),
    'beside an old snapshot': ({ snapshotSlowdown }) => orDash(snapshotSlowdown, formatFactor),
  })
}

const formatDecimal = (value: number) => value.toFixed(1)
