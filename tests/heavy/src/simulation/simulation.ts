import type { Part, Stage } from '../ground/part.ts'
import { limitsFor } from '../reproducer/limits.ts'
import type { PolicyRecord } from '../reproducer/policy-record.ts'
import type { Reproduction } from '../reproducer/reproduce.ts'
import { SHAPES } from '../sources/shape.ts'
import type { Costs, MeasuredCosts } from './costs.ts'
import { fitCosts, type Observed } from './fit-costs.ts'
import { type Brief, between, briefOf, holdAgainst } from './hold-against.ts'
import { measureCosts } from './measure-costs.ts'
import { modelSources } from './model-source.ts'
import { predict } from './predict.ts'
import { type Answer, askAll } from './questions.ts'
import { rulesUnder } from './rules.ts'

export interface SimulationFigures {
  /** The model learns from the hours before this one, and is judged by those from it on. */
  readonly learntUntilHour: number
  readonly foretold: readonly {
    readonly policy: string
    readonly costs: Costs
    readonly measured: Brief
    readonly predicted: Brief
  }[]
  readonly costs: MeasuredCosts
  readonly answers: readonly Answer[]
}

/** In fewer hours each policy has so few waves that to foretell half of them is no feat, and to miss one no fault. */
const LEAST_HOURS_TO_JUDGE = 12

/**
 * The model is fitted to the first half of what the reproducer measured, foretells all of it from the first hour on,
 * and is held against the second half, which it has not seen. Then it is asked what no machine here can run.
 */
export async function simulation(stage: Stage, reproduction: Reproduction): Promise<Part<SimulationFigures>> {
  const { hours, policies } = reproduction
  const half = Math.floor(hours / 2)
  stage.tell(`the model learns from ${half} hours and foretells ${hours - half}`)
  const measured = policies.map((record) => between(record, half, hours))
  const costs = await measureCosts(stage)
  const foretold = foretell(reproduction, half, costs)
  if (hours < LEAST_HOURS_TO_JUDGE) {
    stage.tell(`the model is not judged by ${hours} hours: ${LEAST_HOURS_TO_JUDGE} are the least that say something`)
  }
  stage.tell('what no machine here can run')
  return {
    figures: {
      learntUntilHour: half,
      foretold: foretold.map(({ costs, record }) => ({
        policy: record.policy,
        costs,
        measured: briefOf(measured.find(({ policy }) => policy === record.policy)!),
        predicted: briefOf(record),
      })),
      costs,
      answers: askAll(costs, stage.seed),
    },
    checks:
      hours < LEAST_HOURS_TO_JUDGE
        ? []
        : holdAgainst(
            measured,
            foretold.map(({ record }) => record),
          ),
  }
}

/** Foretells the hours from `half` on by what came before. */
export function foretell(
  { hourMs, hours, policies, schedule }: Reproduction,
  half: number,
  measured: MeasuredCosts,
): { costs: Costs; record: PolicyRecord }[] {
  const allRules = rulesUnder(limitsFor(Math.round((hourMs * 540) / 3_600_000)))
  const hourSeconds = hourMs / 1_000
  const learnt = policies.flatMap((record): Observed[] => {
    const rules = allRules.find(({ policy }) => policy === record.policy)
    return rules ? [{ record: between(record, 0, half), rules }] : []
  })
  return learnt.flatMap((observed) => {
    const { record, rules } = observed
    const isOurs = rules.keeps === 'pages'
    const costs = fitCosts(observed, {
      // The old policy and its first fix run the same code; ours are in each other's way in ways of their own.
      kin: isOurs ? [observed] : learnt.filter((each) => each.rules.keeps !== 'pages'),
      shapes: SHAPES,
      hourSeconds,
      // The incumbent's runs begin when its process says so.
      start: isOurs ? measured.start : 0,
    })
    if (!costs) return []
    const predicted = predict(rules, costs, {
      sources: modelSources(SHAPES, schedule),
      hours,
      // Each cron of the reproducer has its own minute.
      waveAt: (record.waves[0]?.startHour ?? 0) % 1,
      hourSeconds,
      runners: Number.POSITIVE_INFINITY,
      connections: Number.POSITIVE_INFINITY,
      startDelayHours: () => 0,
      random: () => 0,
    })
    return [{ costs, record: between(predicted, half, hours) }]
  })
}
