import { describe, expect, it } from 'vitest'
import { limitsFor } from '../src/reproducer/limits.ts'
import type { PolicyRecord } from '../src/reproducer/policy-record.ts'
import type { Costs } from '../src/simulation/costs.ts'
import { eventQueue } from '../src/simulation/event-queue.ts'
import { fitCosts } from '../src/simulation/fit-costs.ts'
import { between, holdAgainst } from '../src/simulation/hold-against.ts'
import { modelSources } from '../src/simulation/model-source.ts'
import { predict } from '../src/simulation/predict.ts'
import { rulesUnder } from '../src/simulation/rules.ts'
import type { World } from '../src/simulation/simulate.ts'
import { foretell } from '../src/simulation/simulation.ts'
import { sumUp } from '../src/simulation/sum-up.ts'
import { scheduleOf } from '../src/sources/schedule.ts'
import { SHAPES, type Shape } from '../src/sources/shape.ts'

const HOUR_SECONDS = 3_600
const RULES = new Map(rulesUnder(limitsFor(540)).map((rules) => [rules.policy, rules]))
const CHEAP: Costs = {
  lead: 0,
  gap: 0,
  start: 0,
  look: 1,
  fixed: 1,
  file: 0.01,
  section: 0,
  again: 0.001,
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
const arrivalsOf = (source: string, hours: readonly number[], files: number) =>
  hours.map((hour) => ({ source, hour, files }))

function worldOf(sources: World['sources'], more: Partial<World> = {}): World {
  return {
    sources,
    hours: 6,
    waveAt: 0,
    hourSeconds: HOUR_SECONDS,
    runners: 20,
    connections: Number.POSITIVE_INFINITY,
    startDelayHours: () => 0,
    random: () => 0.1,
    ...more,
  }
}

const outcomesOf = ({ waves }: PolicyRecord, source: string) =>
  waves.map(({ sources }) => sources.find((run) => run.source === source)?.outcome)

describe('the event queue', () => {
  it('lets things happen by the hour, and those of one hour in the order in which they came', () => {
    const queue = eventQueue()
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
  const schedule = [...arrivalsOf('first', [0.5], 300), ...arrivalsOf('second', [0.5, 1.5, 2.5, 3.5, 4.5], 1)]
  const record = predict(RULES.get('old')!, slow, worldOf(modelSources([first, second], schedule)))

  it('loses what a killed run has done, whose lock makes the next wave skip the source', () => {
    expect(outcomesOf(record, 'first')).toEqual(['finished', 'stuck', 'locked', 'stuck', 'locked', 'stuck'])
    expect(record.interventions).toBe(2)
  })

  it('does not reach the sources after one that takes all of the wave', () => {
    expect(outcomesOf(record, 'second')).toEqual(['finished', 'stuck', 'finished', 'stuck', 'finished', 'stuck'])
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
    const sources = modelSources([shape('big', 0)], arrivalsOf('big', [0.5], 1_000))
    const record = predict(RULES.get('first fix')!, { ...CHEAP, file: 1 }, worldOf(sources))
    expect(outcomesOf(record, 'big').slice(1, 4)).toEqual(['progressed', 'finished', 'finished'])
    expect(record.readAgain).toBeGreaterThan(500)
  })

  it('is killed in what its budget does not cover, again and again', () => {
    const sources = modelSources([shape('links', 0)], arrivalsOf('links', [0.5], 100))
    const record = predict(RULES.get('first fix')!, { ...CHEAP, page: 1 }, worldOf(sources))
    expect(outcomesOf(record, 'links').slice(1)).toEqual(['progressed', 'stuck', 'stuck', 'stuck', 'stuck'])
    expect(record.waves[1]!.cut).toBe(true)
  })

  it('does not look at its budget in a first sync', () => {
    const sources = modelSources([shape('new', 0, true)], [])
    const { waves } = predict(RULES.get('first fix')!, { ...CHEAP, file: 10 }, worldOf(sources))
    expect(waves[0]).toMatchObject({ cut: true })
    expect(waves[0]!.sources[0]!.endHour).toBeCloseTo(601 / HOUR_SECONDS, 3)
  })
})

describe('our policies in the model', () => {
  it.each(['cron', 'all', 'independent', 'matrix'])(
    '%s goes on where a stopped run was, and reads nothing twice',
    (policy) => {
      const sources = modelSources([shape('big', 0)], arrivalsOf('big', [0.5], 1_000))
      const record = predict(RULES.get(policy)!, { ...CHEAP, file: 1 }, worldOf(sources))
      expect(outcomesOf(record, 'big').slice(0, 4)).toEqual(['finished', 'progressed', 'finished', 'finished'])
      expect(record.readAgain).toBe(0)
      expect(record.interventions).toBe(0)
    },
  )

  it('take sources in turn, so that a wave too short for all of them starves none', () => {
    const many = Array.from({ length: 8 }, (_, i) => shape(`s${i}`, 10))
    const schedule = many.flatMap(({ id }) => arrivalsOf(id, [0.1, 1.1, 2.1, 3.1, 4.1], 10))
    const rules = { ...RULES.get('all')!, lanes: 1, waveLimitHours: 0.4 }
    const costs = { ...CHEAP, file: 40 }
    const starved = (inTurn: boolean) => {
      const record = predict({ ...rules, inTurn }, costs, worldOf(modelSources(many, schedule)))
      const later = (id: string) => outcomesOf(record, id).slice(1)
      return many.filter(({ id }) => later(id).every((outcome) => outcome === 'stuck')).map(({ id }) => id)
    }
    expect(starved(false)).toEqual(['s5', 's6', 's7'])
    expect(starved(true)).toEqual([])
  })

  it('leave a source that another run has in hand to that one', () => {
    const sources = modelSources([shape('slow', 0, true), shape('next', 0)], [])
    const rules = { ...RULES.get('cron')!, budgetHours: 1.5, hardLimitHours: 2 }
    const record = predict(rules, { ...CHEAP, file: 5 }, worldOf(sources))
    expect(outcomesOf(record, 'slow').slice(0, 2)).toEqual(['finished', 'in hand'])
    expect(outcomesOf(record, 'next').slice(0, 2)).toEqual(['finished', 'finished'])
  })
})

describe('where a policy is put', () => {
  const many = Array.from({ length: 60 }, (_, i) => shape(`s${i}`, 1))
  const schedule = many.flatMap(({ id }) => arrivalsOf(id, [0.5, 1.5, 2.5], 1))

  it('a run that gets no connection fails, and the next wave tries again', () => {
    const rules = RULES.get('matrix')!
    const world = worldOf(modelSources(many, schedule), { runners: 60, connections: 100 })
    const sums = sumUp(rules, CHEAP, world)
    expect(sums.refused).toBeCloseTo((3 * 10) / (60 * 6), 2)
    expect(sums.worstHours).toBeGreaterThan(1)
    expect(sumUp(rules, CHEAP, { ...world, runners: 20 }).refused).toBe(0)
  })

  it('runners that start late make sources staler by no more than their delays', () => {
    const rules = RULES.get('matrix')!
    const sources = modelSources(many, schedule)
    const punctual = sumUp(rules, CHEAP, worldOf(sources))
    const late = sumUp(rules, CHEAP, worldOf(sources, { startDelayHours: () => 0.1 }))
    expect(late.worstHours - punctual.worstHours).toBeGreaterThan(0)
    expect(late.worstHours - punctual.worstHours).toBeLessThan(0.201)
  })

  it('the sums say what the records say', () => {
    const sources = modelSources(SHAPES, scheduleOf(SHAPES, 6, 3))
    for (const rules of RULES.values()) {
      const costs = { ...CHEAP, file: 2, page: rules.keeps === 'pages' ? 0 : 0.1 }
      const [record, sums] = [predict(rules, costs, worldOf(sources)), sumUp(rules, costs, worldOf(sources))]
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
      again: rules.keeps === 'pages to read again' ? 0.02 : 0,
      ...legacy,
    }
    const known = SHAPES.map((each) => ({ ...each, isNew: false }))
    const record = predict(rules, costs, worldOf(modelSources(known, scheduleOf(known, 12, 3)), { hours: 12 }))
    const fitted = fitCosts(
      { record, rules },
      { kin: [{ record, rules }], shapes: known, hourSeconds: HOUR_SECONDS, start: 0 },
    )
    expect(fitted!.file + 2 * fitted!.section).toBeCloseTo(0.54, 1)
    expect(fitted!.page).toBeCloseTo(costs.page, 2)
  })

  it('is none where every run was killed', () => {
    const rules = RULES.get('old')!
    const costs = { ...CHEAP, fixed: 1e6 }
    const record = predict(rules, costs, worldOf(modelSources(SHAPES, scheduleOf(SHAPES, 6, 3))))
    const busy = { ...record, waves: record.waves.filter(({ cut }) => cut) }
    expect(
      fitCosts(
        { record: busy, rules },
        { kin: [{ record: busy, rules }], shapes: SHAPES, hourSeconds: HOUR_SECONDS, start: 0 },
      ),
    ).toBeNull()
  })
})

describe('the foretelling', () => {
  it('learns from the first hours what it needs for the others', () => {
    const [hours, hourSeconds, budgetSeconds] = [12, 20, 3]
    const schedule = scheduleOf(SHAPES, hours, 3)
    const policies = rulesUnder(limitsFor(budgetSeconds)).map((rules, i) => {
      const legacy = { file: 0.01, page: 0.001, again: 0.001, fixed: 0.05, start: 0 }
      const ours = { fixed: 0.6, start: 0.4 }
      const costs = {
        ...CHEAP,
        look: 0.4,
        file: 0.002,
        section: 0.0005,
        ...(rules.keeps === 'pages' ? ours : legacy),
      }
      const world = worldOf(modelSources(SHAPES, schedule), { hours, hourSeconds, waveAt: i / 6 })
      return predict(rules, costs, world)
    })
    const measured = { start: 0.4, look: 0, fixed: 0, file: 0, section: 0 }
    const foretold = foretell({ hours, hourMs: hourSeconds * 1_000, schedule, policies }, 6, measured)
    const checks = holdAgainst(
      policies.map((record) => between(record, 6, hours)),
      foretold.map(({ record }) => record),
    )
    expect(checks.filter(({ kept }) => !kept)).toEqual([])
    expect(policies[0]!.finished).toBeLessThan(0.5)
  })
})

describe('holding a prediction against what was measured', () => {
  const rules = RULES.get('cron')!
  const world = worldOf(modelSources(SHAPES, scheduleOf(SHAPES, 6, 3)))
  const record = predict(rules, CHEAP, world)

  it('keeps one that is right', () => {
    expect(holdAgainst([record], [record])).toMatchObject([{ kept: true }])
  })

  it('does not keep one that was not made', () => {
    expect(holdAgainst([record], [])).toMatchObject([{ kept: false }])
  })

  it('does not keep one that is wrong', () => {
    const wrong = { ...record, progressed: 0.2 }
    expect(holdAgainst([record], [wrong])).toMatchObject([
      { kept: false, seen: expect.stringContaining('20 % progressed') },
    ])
  })
})
