import { seededRandom } from '@tidemark/test-engines/seeded-random'
import { limitsFor } from '../reproducer/limits.ts'
import { scheduleOf } from '../sources/schedule.ts'
import { SHAPES, type Shape } from '../sources/shape.ts'
import { costsOf, type MeasuredCosts } from './costs.ts'
import { type ModelSource, modelSources } from './model-source.ts'
import { type Rules, rulesUnder } from './rules.ts'
import type { World } from './simulate.ts'
import { type Sums, sumUp } from './sum-up.ts'

type Delay = readonly [leastSeconds: number, mostSeconds: number]

interface Where {
  readonly hours: number
  readonly delay: Delay
  readonly runners: number
}

/** Something that no machine here can run, and what the model says for each policy. */
export interface Answer {
  readonly question: string
  readonly rows: readonly Sums[]
}

/** What the account's four sources hold together. */
const PAGES = 370_000

/** GitHub's own: runners at a time of a free organisation, and how late they are seen to start. */
const RUNNERS = 20
const DELAY_SECONDS = [10, 600] as const

/** Of a small Postgres. */
const CONNECTIONS = 100

/** Runners of one's own: they are there at once, and every job of a matrix has one. */
const OWN_RUNNERS = 256

/** Hours, so that all questions are answered within seconds. */
const FLEETS = [
  { count: 40, hours: 30 * 24 },
  { count: 400, hours: 7 * 24 },
  { count: 4_000, hours: 48 },
  { count: 16_000, hours: 12 },
] as const

/** Asks the model, on a clock whose hours are hours, with costs that were measured here and the incumbent's own. */
export function askAll(measured: MeasuredCosts, seed: number): Answer[] {
  const factor = PAGES / SHAPES.reduce((sum, { pages }) => sum + pages, 0)
  const account = SHAPES.map((shape) => ({ ...shape, pages: Math.round(shape.pages * factor) }))
  const ask = (shapes: readonly Shape[], where: Where, of: (rules: Rules) => boolean = () => true) => {
    const sources = modelSources(shapes, scheduleOf(shapes, where.hours, seed))
    const world = (): World => worldOf(sources, where, seed)
    return rulesUnder(limitsFor(540))
      .filter(of)
      .map((rules) => sumUp(rules, costsOf(rules.policy, measured, PAGES / SHAPES.length), world()))
  }
  const month = `${account.length} sources of ${PAGES.toLocaleString('en')} pages for 30 days`
  const late = { delay: DELAY_SECONDS, runners: RUNNERS }
  return [
    {
      question: `${month}, punctual`,
      rows: ask(account, { hours: 30 * 24, delay: [0, 0], runners: RUNNERS }),
    },
    { question: `${month}, on runners that start late`, rows: ask(account, { hours: 30 * 24, ...late }) },
    ...FLEETS.map(({ count, hours }) => ({
      question: `${count.toLocaleString('en')} sources for ${hours} hours, on runners that start late`,
      rows: ask(fleet(account, count, seed), { hours, ...late }),
    })),
    {
      question: `4,000 sources for 24 hours, on ${OWN_RUNNERS} runners that start at once`,
      rows: ask(
        fleet(account, 4_000, seed),
        { hours: 24, delay: [0, 0], runners: OWN_RUNNERS },
        ({ spread }) => spread === 'jobs',
      ),
    },
  ]
}

function worldOf(sources: readonly ModelSource[], { hours, delay, runners }: Where, seed: number): World {
  const random = seededRandom(seed)
  const [least, most] = delay
  return {
    sources,
    hours,
    waveAt: 0,
    hourSeconds: 3_600,
    runners,
    connections: CONNECTIONS,
    startDelayHours: () => (least + (most - least) * random()) / 3_600,
    random,
  }
}

/** Sources that are each like one of the four, and are known already: how busy and how large they are is spread. */
function fleet(account: readonly Shape[], count: number, seed: number): Shape[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, (_, i) => {
    const shape = account[Math.floor(random() * account.length)]!
    // From a quarter of it to twice as much.
    const size = 2 ** (3 * random() - 2)
    return {
      ...shape,
      id: `${shape.id}-${i}`,
      isNew: false,
      pages: Math.ceil(shape.pages * size),
      changesPerHour: shape.changesPerHour * size,
    }
  })
}
