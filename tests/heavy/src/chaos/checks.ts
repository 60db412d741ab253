import type { Check } from '../ground/part.ts'
import { canFakeClocks } from './faked-clock.ts'
import type { ChaosFigures } from './figures.ts'
import type { ChaosSettings } from './settings.ts'
import { PROMISES, type Promised } from './violation.ts'

/** One check for each promise, and two on whether there was anything to keep them against. */
export function checksOf(figures: ChaosFigures, { kills, pauses }: ChaosSettings): readonly Check[] {
  const { violations, looks, writesAudited, leasesAudited, runs } = figures
  const count = Object.values(runs).reduce((sum, each) => sum + each, 0)
  const amount: Record<Promised, string> = {
    complete: `${looks.finished} looks`,
    mixture: `${looks.unfinished} looks`,
    once: `${looks.finished + looks.unfinished} looks`,
    tokens: `${leasesAudited} leases`,
    alive: `${leasesAudited} leases`,
    fenced: `${writesAudited} writes`,
    woken: `${figures.pauses} woken`,
    true: `${count} runs`,
    ended: `${count} runs`,
    recovered: 'all sources',
    derived: 'all sources',
  }
  const checks = (Object.keys(PROMISES) as Promised[]).map((promise): Check => {
    const broken = violations.filter((violation) => violation.promise === promise).length
    return {
      promise: PROMISES[promise],
      kept: broken === 0,
      seen: `${amount[promise]}, ${broken} violations`,
    }
  })
  return [
    ...checks,
    {
      promise: 'As much was thrown as was asked for',
      kept: figures.kills >= kills && figures.pauses >= pauses,
      seen: `${figures.kills} kills, ${figures.pauses} pauses`,
    },
    {
      promise: 'The clocks of processes could be put wrong',
      // Where a person runs it, a fault that cannot be thrown is told and no more.
      kept: canFakeClocks || process.env.CI !== 'true',
      seen: `${figures.clocks}, ${figures.clockFaults} processes`,
    },
  ]
}
