import { seededRandom } from '@tidemark/test-engines/seeded-random'
import type { Part, Stage } from '../ground/part.ts'
import { limitsFor } from '../reproducer/limits.ts'
import type { PolicyRecord } from '../reproducer/policy-record.ts'
import { scheduleOf } from '../sources/schedule.ts'
import type { Shape } from '../sources/shape.ts'
import type { Costs, MeasuredCosts } from './costs.ts'
import { fitCosts } from './fit-costs.ts'
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

/** What the reproducer leaves, and what it was given. */
export interface Reproduction {
  readonly hourMs: number
  readonly hours: number
  readonly policies: readonly PolicyRecord[]
}

/**
 * The model is fitted to the first half of what the reproducer measured, foretells all of it from the first hour on,
 * and is held against the second half, which it has not seen. Then it is asked what no machine here can run.
 */
export async function simulation(
  { shapes }: { shapes: readonly Shape[] },
  stage: Stage,
  reproduction: Reproduction,
): Promise<Part<SimulationFigures>> {
  const { hours, policies } = reproduction
  const half = Math.floor(hours / 2)
  stage.tell(`the model learns from ${half} hours and foretells ${hours - half}`)
  const foretold = foretell(shapes, stage.seed, reproduction, half)
  const measured = policies.map((record) => between(record, half, hours))
  const costs = await measureCosts(stage)
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
    checks: holdAgainst(
      measured,
      foretold.map(({ record }) => record),
    ),
  }
}

/** Foretells the hours from `half` on by what came before. */
function foretell(
  shapes: readonly Shape[],
  seed: number,
  { hourMs, hours, policies }: Reproduction,
  half: number,
): { costs: Costs; record: PolicyRecord }[] {
  const rulesOf = rulesUnder(limitsFor(Math.round((hourMs * 540) / 3_600_000)))
  const hourSeconds = hourMs / 1_000
  return policies.flatMap((record) => {
    const rules = rulesOf.find(({ policy }) => policy === record.policy)
    if (!rules) return []
    const costs = fitCosts(between(record, 0, half), { rules, shapes, hourSeconds })
    const predicted = predict(rules, costs, {
      sources: modelSources(shapes, scheduleOf(shapes, hours, seed)),
      hours,
      hourSeconds,
      runners: Number.POSITIVE_INFINITY,
      connections: Number.POSITIVE_INFINITY,
      startDelayHours: () => 0,
      random: seededRandom(seed),
    })
    return { costs, record: between(predicted, half, hours) }
  })
}
