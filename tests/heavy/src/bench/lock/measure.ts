/**
 * Times the contenders in rounds, in which they take turns. In a process of its own, which `process.exit` ends:
 * advisory-lock keeps a connection that no one can close.
 *
 * Arguments: addresses of two empty databases, rounds, acquisitions a round, rounds of handoffs, of snapshots.
 */
import { withClient } from '../../harness/harness.ts'
import { median } from '../../harness/statistics.ts'
import { advisory, minimalLease, verrou } from './peers.ts'
import { listeningTidemark, tidemark } from './tidemark.ts'
import { acquireRelease, handoff, leasesPerSecond, snapshotSlowdown } from './timings.ts'

const FIGURES = [
  'acquireReleaseMs',
  'acquireReleaseStatements',
  // Of all workers together.
  'leasesPerSecond',
  'renewMs',
  'renewStatements',
  'handoffMs',
  'waiterQueriesPerSecond',
  // Of the updates, those that put the new row on the old one's page, so that no index needs an entry (HOT).
  'hotShare',
  // How many times as long acquire + release lasts beside an old snapshot.
  'snapshotSlowdown',
] as const
type Figure = (typeof FIGURES)[number]

/** Medians; null where it has no such thing, or it is not counted. */
export type LockFigures = { readonly name: string; readonly caveats: string } & Readonly<Record<Figure, number | null>>

/** Ours, ours that listens, Verrou, advisory-lock and the minimal lease. */
export type AllFigures = readonly [LockFigures, LockFigures, LockFigures, LockFigures, LockFigures]

const RENEWALS = 3
/** Keys that are handed over side by side. */
const HANDOFFS = 5

const [url = '', otherUrl = '', ...numbers] = process.argv.slice(2)
const [rounds = 1, acquisitions = 1, handoffRounds = 1, snapshotRounds = 1] = numbers.map(Number)

const contenders = await Promise.all(
  [tidemark, listeningTidemark, verrou, advisory, minimalLease].map(async (open) => {
    const values = Object.fromEntries(FIGURES.map((figure) => [figure, []])) as unknown as Record<Figure, number[]>
    return { ...(await open(url)), elsewhere: await open(otherUrl), values }
  }),
)
// One that connects for each lease disturbs the next one, and its other figures would be those of connecting.
const { connecting = [], pooled = [] } = Object.groupBy(contenders, ({ table }) => (table ? 'pooled' : 'connecting'))

for (let round = 0; round < rounds; round++) {
  for (const takingTurns of [connecting, pooled]) {
    for (let n = 0; n < acquisitions; n++) {
      for (const each of takingTurns) each.values.acquireReleaseMs.push(await acquireRelease(each, 'one'))
    }
  }
  for (const each of pooled) {
    each.values.leasesPerSecond.push(await leasesPerSecond(each, acquisitions))
    for (const { ms, statements } of (await each.renew?.(RENEWALS)) ?? []) {
      each.values.renewMs.push(ms)
      each.values.renewStatements.push(statements)
    }
  }
}
for (const { countQueries, values } of contenders) {
  if (countQueries) values.acquireReleaseStatements.push(countQueries('one') / (rounds * acquisitions))
}
// Handoffs wait for most of their time, so all can run at once.
for (let round = 0; round < handoffRounds; round++) {
  const keys = Array.from({ length: HANDOFFS }, (_, n) => `handoff ${n}`)
  await Promise.all(contenders.flatMap((each) => keys.map((key) => handoff(each, key, each.values))))
}
// By now the server's processes have reported what they did in the rounds.
const hotSql = 'SELECT relname, n_tup_hot_upd / n_tup_upd::float AS share FROM pg_stat_user_tables WHERE n_tup_upd > 0'
const { rows } = await withClient(url, (db) => db.query(hotSql))
for (const { table, values } of pooled) {
  values.hotShare.push(...rows.filter(({ relname }) => relname === table).map(({ share }) => share))
}
for (let round = 0; round < snapshotRounds; round++) {
  for (const each of pooled) each.values.snapshotSlowdown.push(await snapshotSlowdown(each.elsewhere, otherUrl, each))
}

const figures = contenders.map(({ name, caveats, values }) => {
  const medians = Object.entries(values).map(([figure, all]) => [figure, all.length > 0 ? median(all) : null])
  return { name, caveats, ...Object.fromEntries(medians) }
})
process.stdout.write(JSON.stringify(figures), () => process.exit())
