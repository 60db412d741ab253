import { describe, expect, it } from 'vitest'
import type { PolicyRecord } from '../src/reproduction/policy-record.ts'
import { createSchedule, SHAPES, type Shape, scaleLimits } from '../src/reproduction/schedule.ts'
import type { Costs } from '../src/simulation/costs.ts'
import { createEventQueue } from '../src/simulation/event-queue.ts'
import { fitCosts } from '../src/simulation/fit-costs.ts'
import { createModelSources } from '../src/simulation/model-source.ts'
import { createRules } from '../src/simulation/rules.ts'
import type { World } from '../src/simulation/simulate.ts'
import { simulateRecord } from '../src/simulation/simulate-record.ts'
import { simulateTotals } from '../src/simulation/simulate-totals.ts'
import { predict } from '../src/simulation/simulation.ts'
import { sliceRecord, validateModel } from '../src/simulation/validate-model.ts'

const HOUR_SECONDS = 3_600
const RULES = new Map(createRules(scaleLimits(540)).map((rules) => [rules.policy, rules]))
const CHEAP: Costs = {
  lead: 0,
  gap: 0,
  start: 0,
  check: 1,
  fixed: 1,
  file: 0.01,
  section: 0,
  reread: 0.001,
  page: 0,
}

const shape = (id: string, changesPerHour: number, isNew = false): Shape => ({
  id,
  corpus: 'vite',
  pages: 1_000,
  sections: 2,
  changesPerHour,
  isNew,
})

/** So many files of a source at each of these hours. */
const createArrivals = (source: string, hours: readonly number[], files: number) =>
  hours.map((hour) => ({ source, hour, files }))

function createWorld(sources: World['sources'], more: Partial<World> = {}): World {
  return {
    sources,
    hours: 6,
    waveOffsetHours: 0,
    hourSeconds: HOUR_SECONDS,
    runners: 20,
    connections: Number.POSITIVE_INFINITY,
    startDelayHours: () => 0,
    random: () => 0.1,
    ...more,
  }
}

const listOutcomes = ({ waves }: PolicyRecord, source: string) =>
  waves.map(({ sources }) => sources.find((run) => run.source === source)?.outcome)

describe('the event queue', () => {
  it('lets things happen by the hour, and those of one hour in the order in which they came', () => {
    const queue = createEventQueue()
    const seen: string[] = []
    queue.at(2, () => seen.push('c'))
    queue.at(1, (hour) => {
      seen.push('a')
      queue.at(hour, () => seen.push('b'))
    })
    queue.at(2, () => seen.push('d'))
    queue.run()
    expect(seen).toEqual(['a', 'b', 'c', 'd'])
  })
})

describe('the old policy in the model', () => {
  const slow = { ...CHEAP, file: 10 }
  const [first, second] = [shape('first', 300), shape('second', 1)]
  const schedule = [...createArrivals('first', [0.5], 300), ...createArrivals('second', [0.5, 1.5, 2.5, 3.5, 4.5], 1)]
  const record = simulateRecord(RULES.get('old')!, slow, createWorld(createModelSources([first, second], schedule)))

  it('loses what a killed run has done, whose lock makes the next wave skip the source', () => {
    expect(listOutcomes(record, 'first')).toEqual(['finished', 'stuck', 'stale_lock', 'stuck', 'stale_lock', 'stuck'])
    expect(record.interventions).toBe(2)
  })

  it('does not reach the sources after one that takes all of the wave', () => {
    expect(listOutcomes(record, 'second')).toEqual(['finished', 'stuck', 'finished', 'stuck', 'finished', 'stuck'])
  })

  it('leaves that source behind from its first change on', () => {
    expect(record.staleness[0]!.worstHours).toBeCloseTo(5.45, 1)
  })

  it('reads again what it has lost', () => {
    expect(record.readAgain).toBeGreaterThan(0)
  })
})

describe('the first fix in the model', () => {
  it('keeps what a stopped run has stored, so that a later one finishes', () => {
    const sources = createModelSources([shape('big', 0)], createArrivals('big', [0.5], 1_000))
    const record = simulateRecord(RULES.get('first fix')!, { ...CHEAP, file: 1 }, createWorld(sources))
    expect(listOutcomes(record, 'big').slice(1, 4)).toEqual(['progressed', 'finished', 'finished'])
    expect(record.readAgain).toBeGreaterThan(500)
  })

  it('is killed in what its budget does not cover, again and again', () => {
    const sources = createModelSources([shape('links', 0)], createArrivals('links', [0.5], 100))
    const record = simulateRecord(RULES.get('first fix')!, { ...CHEAP, page: 1 }, createWorld(sources))
    expect(listOutcomes(record, 'links').slice(1)).toEqual(['progressed', 'stuck', 'stuck', 'stuck', 'stuck'])
    expect(record.waves[1]!.killed).toBe(true)
  })

  it('does not look at its budget in a first sync', () => {
    const sources = createModelSources([shape('new', 0, true)], [])
    const { waves } = simulateRecord(RULES.get('first fix')!, { ...CHEAP, file: 10 }, createWorld(sources))
    expect(waves[0]).toMatchObject({ killed: true })
    expect(waves[0]!.sources[0]!.endHour).toBeCloseTo(601 / HOUR_SECONDS, 3)
  })
})

describe('our policies in the model', () => {
  it.each(['cron', 'all', 'independent', 'matrix'])(
    '%s goes on where a stopped run was, and reads nothing twice',
    (policy) => {
      const sources = createModelSources([shape('big', 0)], createArrivals('big', [0.5], 1_000))
      const record = simulateRecord(RULES.get(policy)!, { ...CHEAP, file: 1 }, createWorld(sources))
      expect(listOutcomes(record, 'big').slice(0, 4)).toEqual(['finished', 'progressed', 'finished', 'finished'])
      expect(record.readAgain).toBe(0)
      expect(record.interventions).toBe(0)
    },
  )

  it('take sources in turn, so that a wave too short for all of them starves none', () => {
    const many = Array.from({ length: 8 }, (_, i) => shape(`s${i}`, 10))
    const schedule = many.flatMap(({ id }) => createArrivals(id, [0.1, 1.1, 2.1, 3.1, 4.1], 10))
    const rules = { ...RULES.get('all')!, lanes: 1, waveLimitHours: 0.4 }
    const costs = { ...CHEAP, file: 40 }
    const starved = (leastRecentlyCheckedFirst: boolean) => {
      const record = simulateRecord(
        { ...rules, leastRecentlyCheckedFirst },
        costs,
        createWorld(createModelSources(many, schedule)),
      )
      const later = (id: string) => listOutcomes(record, id).slice(1)
      return many.filter(({ id }) => later(id).every((outcome) => outcome === 'stuck')).map(({ id }) => id)
    }
    expect(starved(false)).toEqual(['s5', 's6', 's7'])
    expect(starved(true)).toEqual([])
  })

  it('leave a source that another run has in hand to that one', () => {
    const sources = createModelSources([shape('slow', 0, true), shape('next', 0)], [])
    const rules = { ...RULES.get('cron')!, budgetHours: 1.5, hardLimitHours: 2 }
    const record = simulateRecord(rules, { ...CHEAP, file: 5 }, createWorld(sources))
    expect(listOutcomes(record, 'slow').slice(0, 2)).toEqual(['finished', 'running'])
    expect(listOutcomes(record, 'next').slice(0, 2)).toEqual(['finished', 'finished'])
  })
})

describe('where a policy is put', () => {
  const many = Array.from({ length: 60 }, (_, i) => shape(`s${i}`, 1))
  const schedule = many.flatMap(({ id }) => createArrivals(id, [0.5, 1.5, 2.5], 1))

  it('a run that gets no connection fails, and the next wave tries again', () => {
    const rules = RULES.get('matrix')!
    const world = createWorld(createModelSources(many, schedule), { runners: 60, connections: 100 })
    const sums = simulateTotals(rules, CHEAP, world)
    expect(sums.refused).toBeCloseTo((3 * 10) / (60 * 6), 2)
    expect(sums.worstHours).toBeGreaterThan(1)
    expect(simulateTotals(rules, CHEAP, { ...world, runners: 20 }).refused).toBe(0)
  })

  it('runners that start late make sources staler by no more than their delays', () => {
    const rules = RULES.get('matrix')!
    const sources = createModelSources(many, schedule)
    const punctual = simulateTotals(rules, CHEAP, createWorld(sources))
    const late = simulateTotals(rules, CHEAP, createWorld(sources, { startDelayHours: () => 0.1 }))
    expect(late.worstHours - punctual.worstHours).toBeGreaterThan(0)
    expect(late.worstHours - punctual.worstHours).toBeLessThan(0.201)
  })

  it('the sums say what the records say', () => {
    const sources = createModelSources(SHAPES, createSchedule(SHAPES, 6, 3))
    for (const rules of RULES.values()) {
      const costs = { ...CHEAP, file: 2, page: rules.keeps === 'pages' ? 0 : 0.1 }
      const [record, sums] = [
        simulateRecord(rules, costs, createWorld(sources)),
        simulateTotals(rules, costs, createWorld(sources)),
      ]
      const worst = Math.max(...record.staleness.map(({ worstHours }) => worstHours))
      expect(Math.abs(sums.worstHours - worst)).toBeLessThan(0.06)
    }
  })
})

describe('the fit', () => {
  it.each([...RULES.keys()])('finds the costs that the records of %s were made with', (policy) => {
    const rules = RULES.get(policy)!
    const legacy = rules.keeps === 'pages' ? {} : { page: 0.05 }
    const costs = {
      ...CHEAP,
      file: 0.5,
      section: 0.02,
      reread: rules.keeps === 'pages to read again' ? 0.02 : 0,
      ...legacy,
    }
    const known = SHAPES.map((each) => ({ ...each, isNew: false }))
    const record = simulateRecord(
      rules,
      costs,
      createWorld(createModelSources(known, createSchedule(known, 12, 3)), { hours: 12 }),
    )
    const fitted = fitCosts(
      { record, rules },
      { sharedRuns: [{ record, rules }], shapes: known, hourSeconds: HOUR_SECONDS, start: 0 },
    )
    expect(fitted!.file + 2 * fitted!.section).toBeCloseTo(0.54, 1)
    expect(fitted!.page).toBeCloseTo(costs.page, 2)
  })

  it('is none where every run was killed', () => {
    const rules = RULES.get('old')!
    const costs = { ...CHEAP, fixed: 1e6 }
    const record = simulateRecord(rules, costs, createWorld(createModelSources(SHAPES, createSchedule(SHAPES, 6, 3))))
    const busy = { ...record, waves: record.waves.filter(({ killed }) => killed) }
    expect(
      fitCosts(
        { record: busy, rules },
        { sharedRuns: [{ record: busy, rules }], shapes: SHAPES, hourSeconds: HOUR_SECONDS, start: 0 },
      ),
    ).toBeNull()
  })
})

describe('the prediction', () => {
  it('learns from the first hours what it needs for the others', () => {
    const [hours, hourSeconds, budgetSeconds] = [12, 20, 3]
    const schedule = createSchedule(SHAPES, hours, 3)
    const policies = createRules(scaleLimits(budgetSeconds)).map((rules, i) => {
      const legacy = { file: 0.01, page: 0.001, reread: 0.001, fixed: 0.05, start: 0 }
      const ours = { fixed: 0.6, start: 0.4 }
      const costs = {
        ...CHEAP,
        check: 0.4,
        file: 0.002,
        section: 0.0005,
        ...(rules.keeps === 'pages' ? ours : legacy),
      }
      const world = createWorld(createModelSources(SHAPES, schedule), { hours, hourSeconds, waveOffsetHours: i / 6 })
      return simulateRecord(rules, costs, world)
    })
    const measured = { start: 0.4, check: 0, fixed: 0, file: 0, section: 0 }
    const predictions = predict({ hours, hourMs: hourSeconds * 1_000, schedule, policies }, 6, measured)
    const checks = validateModel(
      policies.map((record) => sliceRecord(record, 6, hours)),
      predictions.map(({ record }) => record),
    )
    expect(checks.filter(({ passed }) => !passed)).toEqual([])
    expect(policies[0]!.finished).toBeLessThan(0.5)
  })
})

describe('holding a prediction against what was measured', () => {
  const rules = RULES.get('cron')!
  const world = createWorld(createModelSources(SHAPES, createSchedule(SHAPES, 6, 3)))
  const record = simulateRecord(rules, CHEAP, world)

  it('keeps one that is right', () => {
    expect(validateModel([record], [record])).toMatchObject([{ passed: true }])
  })

  it('does not keep one that was not made', () => {
    expect(validateModel([record], [])).toMatchObject([{ passed: false }])
  })

  it('does not keep one that is wrong', () => {
    const wrong = { ...record, progressed: 0.2 }
    expect(validateModel([record], [wrong])).toMatchObject([
      { passed: false, observed: expect.stringContaining('20 % progressed') },
    ])
  })
})
