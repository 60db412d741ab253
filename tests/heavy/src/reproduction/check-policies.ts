import type { Check } from '../harness/harness.ts'
import { formatCount, formatHours, formatPercent } from '../harness/tables.ts'
import {
  MAX_PAGES_READ_AGAIN,
  MAX_STALE_HOURS,
  MIN_HOURS_OF_ACCOUNT,
  MIN_PROGRESSED,
  OLD_NOT_KILLED,
} from '../harness/thresholds.ts'
import { type PolicyRecord, worstHours } from './policy-record.ts'
import type { Scenario } from './reproduce.ts'

const isOurs = ({ policy }: PolicyRecord) => policy !== 'old' && policy !== 'first-fix'

/** Makes the same check of several policies. */
const each = (
  policies: readonly PolicyRecord[],
  sentence: string,
  observe: (record: PolicyRecord) => Omit<Check, 'check'>,
): Check[] => policies.map((record) => ({ check: `${record.policy}: ${sentence}`, ...observe(record) }))

/** Whether ours keep what we promise, and whether the old policy has shown what its account says. */
export function checkPolicies({ policies, hours }: Scenario): Check[] {
  const undisturbed = policies.filter((record) => isOurs(record) && record.policy !== 'disturbed')
  const old = policies.find(({ policy }) => policy === 'old')!
  const disturbed = policies.find(({ policy }) => policy === 'disturbed')!
  const killed = disturbed.waves.filter((wave) => wave.killed).length
  const [min, max] = OLD_NOT_KILLED
  const isJudged = hours >= MIN_HOURS_OF_ACCOUNT
  return [
    ...each(undisturbed, `at least ${formatPercent(MIN_PROGRESSED)} of the runs make progress`, ({ progressed }) => ({
      passed: progressed >= MIN_PROGRESSED,
      observed: formatPercent(progressed),
    })),
    ...checkStaleness(undisturbed),
    ...each(undisturbed, 'no lock waits for a person', ({ interventions }) => ({
      passed: interventions === 0,
      observed: `${interventions}`,
    })),
    {
      check: 'disturbed: its runs were stopped and killed, or the rest shows nothing',
      passed: disturbed.stopped > 0 && killed > 0,
      observed: `${disturbed.stopped} runs ended early, ${killed} waves with a kill`,
    },
    {
      check: `baseline: of the old policy's runs ${formatPercent(min)} to ${formatPercent(max)} are not killed, as in its account`,
      passed: !isJudged || (old.notKilled >= min && old.notKilled <= max),
      observed: `${formatPercent(old.notKilled)}${isJudged ? '' : `; not judged in fewer than ${MIN_HOURS_OF_ACCOUNT} hours`}`,
    },
  ]
}

/** Where there is more to do than the old policy's time is enough for. */
export function checkDoubled({ policies, hours }: Scenario): Check[] {
  const old = policies.find(({ policy }) => policy === 'old')!
  return [
    ...checkStaleness(policies.filter(({ policy }) => policy === 'all')),
    {
      check: `twice the changes: under the old policy a source is stale for more than half of the ${hours} hours`,
      passed: worstHours(old) > hours / 2,
      observed: formatHours(worstHours(old)),
    },
  ]
}

/** A wave that does not finish leaves a source for the next one, an hour later. */
const checkStaleness = (policies: readonly PolicyRecord[]) =>
  each(
    policies,
    `no source is stale for over ${MAX_STALE_HOURS} hours, and one for each run of it that did not finish`,
    (record) => ({
      passed: worstHours(record) <= MAX_STALE_HOURS + record.unfinishedInARow,
      observed: `${formatHours(worstHours(record))}, ${record.unfinishedInARow} in a row`,
    }),
  )

/** Whether the pages are right, whatever was stopped or killed, and nothing was done twice. */
export function checkPages({ policies, load }: Scenario): Check[] {
  const ours = policies.filter(isOurs)
  const at = load === 1 ? '' : `${load} × the changes: `
  return [
    ...each(
      ours,
      `${at}every page is of the bookmark or newer; in the end path, blob and text are the ref's`,
      (record) => ({
        passed: record.wrongPages === 0,
        observed: `${record.wrongPages} wrong`,
      }),
    ),
    ...each(ours, `${at}nothing is stored twice, and a run that is ended early has one batch read again`, (record) => ({
      passed: record.storedAgain === 0 && record.readAgain <= MAX_PAGES_READ_AGAIN * record.stopped,
      observed: `${formatCount(record.storedAgain)} stored, ${formatCount(record.readAgain)} of ${formatCount(record.read)} read again, ${record.stopped} ended`,
    })),
  ]
}
