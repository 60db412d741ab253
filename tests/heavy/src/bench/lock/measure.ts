/**
 * Times the contenders in rounds, in which they take turns, so that a noisy machine is as noisy for each. In a process
 * of its own, which `process.exit` ends: advisory-lock keeps a connection that no one can close.
 *
 * Arguments: address of an empty database, rounds, cycles a round, hand-overs in all.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { median } from '../../ground/percentile.ts'
import { advisory } from './advisory.ts'
import { bareStatements } from './bare-statements.ts'
import type { Contender } from './contender.ts'
import { tidemark } from './tidemark.ts'
import { verrou } from './verrou.ts'

export interface LockFigures {
  readonly name: string
  readonly lacks: string
  /** Medians of the rounds, of one operation. */
  readonly cycleMs: number
  readonly renewMs: number | null
  /** From the release by one to the moment at which the other has it. */
  readonly handOverMs: number | null
  /** Statements that one operation sends, where that is counted. */
  readonly cycleStatements: number | null
  readonly renewStatements: number | null
}

const RENEWALS = 20
/** How long the first one holds a key that is handed over. */
const HELD_MS = 120

const [url = '', ...numbers] = process.argv.slice(2)
const [rounds = 1, cycles = 1, handOvers = 1] = numbers.map(Number)

const contenders = [await tidemark(url), await verrou(url), await advisory(url), await bareStatements(url)]
const times = contenders.map((contender) => ({
  contender,
  cycle: [] as Timed[],
  renew: [] as Timed[],
  handOver: [] as number[],
}))
for (let round = 0; round < rounds; round++) {
  for (const { contender, cycle, renew } of times) {
    cycle.push(await timed(contender, contender.cycle, cycles))
    if (contender.renew) renew.push(await timed(contender, contender.renew, RENEWALS))
  }
}
for (let n = 0; n < handOvers; n++) {
  for (const { contender, handOver } of times) {
    if (contender.take) handOver.push(await handedOverMs(contender.take))
  }
}
const figures = times.map(({ contender: { name, lacks }, cycle, renew, handOver }): LockFigures => {
  const of = (values: readonly Timed[], key: keyof Timed) =>
    values.some((each) => each[key] === null) ? null : orNull(values.map((each) => each[key] as number))
  return {
    name,
    lacks,
    cycleMs: of(cycle, 'ms')!,
    renewMs: of(renew, 'ms'),
    handOverMs: orNull(handOver),
    cycleStatements: of(cycle, 'statements'),
    renewStatements: of(renew, 'statements'),
  }
})
process.stdout.write(JSON.stringify(figures), () => process.exit())

interface Timed {
  readonly ms: number
  readonly statements: number | null
}

async function timed(contender: Contender, work: () => Promise<void>, often: number): Promise<Timed> {
  const before = contender.statements?.()
  const started = performance.now()
  for (let n = 0; n < often; n++) await work()
  const ms = (performance.now() - started) / often
  return { ms, statements: before === undefined ? null : (contender.statements!() - before) / often }
}

async function handedOverMs(take: NonNullable<Contender['take']>): Promise<number> {
  const release = await take('hand-over')
  const waiting = take('hand-over').then((next) => ({ next, at: performance.now() }))
  await sleep(HELD_MS)
  const started = performance.now()
  await release()
  const { next, at } = await waiting
  await next()
  return at - started
}

function orNull(values: readonly number[]): number | null {
  return values.length === 0 ? null : median(values)
}
