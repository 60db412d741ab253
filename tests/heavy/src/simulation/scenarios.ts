import { seededRandom } from '@tidemark/test-engines/seeded-random'
import { formatCount } from '../harness/tables.ts'
import { createSchedule, SHAPES, type Shape, scaleLimits } from '../reproduction/schedule.ts'
import { createCosts, type MeasuredCosts } from './costs.ts'
import { createModelSources, type ModelSource } from './model-source.ts'
import { createRules, type Rules } from './rules.ts'
import type { World } from './simulate.ts'
import { simulateTotals, type Totals } from './simulate-totals.ts'

type Delay = readonly [minSeconds: number, maxSeconds: number]

interface Setting {
  readonly hours: number
  readonly delay: Delay
  readonly runners: number
}

/** Something that no machine here can run, and what the model says for each policy. */
export interface Scenario {
  readonly scenario: string
  readonly rows: readonly Totals[]
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

/** Hours, so that all scenarios are simulated within seconds. */
const FLEETS = [
  { count: 40, hours: 30 * 24 },
  { count: 400, hours: 7 * 24 },
  { count: 4_000, hours: 48 },
  { count: 16_000, hours: 12 },
] as const

/** Simulates them on a clock whose hours are hours, with costs that were measured here and the incumbent's own. */
export function simulateScenarios(measured: MeasuredCosts, seed: number): Scenario[] {
  const factor = PAGES / SHAPES.reduce((sum, { pages }) => sum + pages, 0)
  const account = SHAPES.map((shape) => ({ ...shape, pages: Math.round(shape.pages * factor) }))
  const simulateAll = (shapes: readonly Shape[], setting: Setting, include: (rules: Rules) => boolean = () => true) => {
    const sources = createModelSources(shapes, createSchedule(shapes, setting.hours, seed))
    const world = (): World => createWorld(sources, setting, seed)
    return createRules(scaleLimits(540))
      .filter(include)
      .map((rules) => simulateTotals(rules, createCosts(rules.policy, measured, PAGES / SHAPES.length), world()))
  }
  const month = `${account.length} sources of ${formatCount(PAGES)} pages for 30 days`
  const late = { delay: DELAY_SECONDS, runners: RUNNERS }
  return [
    {
      scenario: `${month}, punctual`,
      rows: simulateAll(account, { hours: 30 * 24, delay: [0, 0], runners: RUNNERS }),
    },
    { scenario: `${month}, on runners that start late`, rows: simulateAll(account, { hours: 30 * 24, ...late }) },
    ...FLEETS.map(({ count, hours }) => ({
      scenario: `${formatCount(count)} sources for ${hours} hours, on runners that start late`,
      rows: simulateAll(createFleet(account, count, seed), { hours, ...late }),
    })),
    {
      scenario: `4,000 sources for 24 hours, on ${OWN_RUNNERS} runners that start at once`,
      rows: simulateAll(
        createFleet(account, 4_000, seed),
        { hours: 24, delay: [0, 0], runners: OWN_RUNNERS },
        ({ spread }) => spread === 'jobs',
      ),
    },
  ]
}

function createWorld(sources: readonly ModelSource[], { hours, delay, runners }: Setting, seed: number): World {
  const random = seededRandom(seed)
  const [min, max] = delay
  return {
    sources,
    hours,
    waveOffsetHours: 0,
    hourSeconds: 3_600,
    runners,
    connections: CONNECTIONS,
    startDelayHours: () => (min + (max - min) * random()) / 3_600,
    random,
  }
}

/** Sources that are each like one of the four, and are known already: how busy and how large they are is spread. */
function createFleet(account: readonly Shape[], count: number, seed: number): Shape[] {
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
