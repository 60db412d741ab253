/**
 * A model of what the policies do to sources, for what no machine here can run: thousands of sources, months, runners
 * that start late. Its events are the ends of runs; a run's course is known when it begins (`run-model`), by the policy's
 * rules (`rules`) and what its work takes (`costs`).
 *
 * The costs are fitted to the first half of what the reproduction measured (`fit-costs`); the model then predicts all of
 * it, and is validated by the second half, which it has not seen (`validate-model`): a policy whose shares of runs or
 * staleness are off by more than the tolerance fails its check. Short reproductions have too few waves for that.
 */
import type { Harness, Report } from '../harness/harness.ts'
import { MIN_HOURS_TO_VALIDATE } from '../harness/thresholds.ts'
import { type PolicyRecord, type PolicySummary, summarize } from '../reproduction/policy-record.ts'
import type { Reproduction } from '../reproduction/reproduce.ts'
import { SHAPES, scaleLimits } from '../reproduction/schedule.ts'
import type { Costs, MeasuredCosts } from './costs.ts'
import { fitCosts, type Observed } from './fit-costs.ts'
import { measureCosts } from './measure-costs.ts'
import { createModelSources } from './model-source.ts'
import { createRules } from './rules.ts'
import { type Scenario, simulateScenarios } from './scenarios.ts'
import { simulateRecord } from './simulate-record.ts'
import { sliceRecord, validateModel } from './validate-model.ts'

export interface SimulationFigures {
  /** The model is fitted to the hours before this one, and validated by those from it on. */
  readonly fittedUntilHour: number
  readonly predictions: readonly {
    readonly policy: string
    readonly costs: Costs
    readonly measured: PolicySummary
    readonly predicted: PolicySummary
  }[]
  readonly costs: MeasuredCosts
  readonly scenarios: readonly Scenario[]
}

/** Fits and validates the model by a reproduction, then simulates what no machine here can run. */
export async function simulation(harness: Harness, reproduction: Reproduction): Promise<Report<SimulationFigures>> {
  const { hours, policies } = reproduction
  const { log, seed } = harness
  const half = Math.floor(hours / 2)
  log(`the model is fitted to ${half} hours and predicts ${hours - half}`)
  const measured = policies.map((record) => sliceRecord(record, half, hours))
  const costs = await measureCosts(harness)
  const predictions = predict(reproduction, half, costs)
  const records = predictions.map(({ record }) => record)
  const isValidated = hours >= MIN_HOURS_TO_VALIDATE
  if (!isValidated)
    log(`the model is not validated by ${hours} hours: ${MIN_HOURS_TO_VALIDATE} are the least that say something`)
  log('what no machine here can run')
  return {
    figures: {
      fittedUntilHour: half,
      predictions: predictions.map(({ costs, record }) => ({
        policy: record.policy,
        costs,
        measured: summarize(measured.find(({ policy }) => policy === record.policy)!),
        predicted: summarize(record),
      })),
      costs,
      scenarios: simulateScenarios(costs, seed),
    },
    checks: isValidated ? validateModel(measured, records) : [],
  }
}

/** Predicts the hours from `half` on by what came before. */
export function predict(
  { hourMs, hours, policies, schedule }: Reproduction,
  half: number,
  measured: MeasuredCosts,
): { costs: Costs; record: PolicyRecord }[] {
  const allRules = createRules(scaleLimits(Math.round((hourMs * 540) / 3_600_000)))
  const hourSeconds = hourMs / 1_000
  const observed = policies.flatMap((record): Observed[] => {
    const rules = allRules.find(({ policy }) => policy === record.policy)
    return rules ? [{ record: sliceRecord(record, 0, half), rules }] : []
  })
  return observed.flatMap((each) => {
    const { record, rules } = each
    const isOurs = rules.keeps === 'pages'
    // The old policy and its first fix run the same code; ours are in each other's way in ways of their own.
    const sharedRuns = isOurs ? [each] : observed.filter(({ rules }) => rules.keeps !== 'pages')
    // The incumbent's runs begin when its process says so.
    const start = isOurs ? measured.start : 0
    const costs = fitCosts(each, { sharedRuns, shapes: SHAPES, hourSeconds, start })
    if (!costs) return []
    const predicted = simulateRecord(rules, costs, {
      sources: createModelSources(SHAPES, schedule),
      hours,
      // Each cron of the reproduction has its own minute.
      waveOffsetHours: (record.waves[0]?.startHour ?? 0) % 1,
      hourSeconds,
      runners: Number.POSITIVE_INFINITY,
      connections: Number.POSITIVE_INFINITY,
      startDelayHours: () => 0,
      random: () => 0,
    })
    return [{ costs, record: sliceRecord(predicted, half, hours) }]
  })
}
