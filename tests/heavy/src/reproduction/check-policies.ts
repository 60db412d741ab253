import type { Check } from '../harness/harness.ts'
import { formatHours, formatPercent } from '../harness/tables.ts'
import * as limits from '../harness/thresholds.ts'
import { type PolicyRecord, worstHours } from './policy-record.ts'
import type { Scenario } from './reproduce.ts'

const check = ({ policy }: PolicyRecord, sentence: string, passed: boolean, observed: string | number): Check => ({
  check: `${policy}: ${sentence}`,
  passed,
  observed: `${observed}`,
})

const isOurs = ({ policy }: PolicyRecord) => policy !== 'old' && policy !== 'first-fix'

/** Whether ours keep what we promise, and whether the old policy has shown what its account says. */
export function checkPolicies({ policies, hours }: Scenario): Check[] {
  const find = (name: string) => policies.find(({ policy }) => policy === name)!
  const [old, disturbed] = [find('old'), find('disturbed')]
  const kills = disturbed.waves.filter(({ killed }) => killed).length
  const share = formatPercent(old.notKilled)
  const isJudged = hours >= limits.MIN_HOURS_OF_ACCOUNT
  const asInAccount = old.notKilled >= limits.MIN_OLD_NOT_KILLED && old.notKilled <= limits.MAX_OLD_NOT_KILLED
  return [
    ...policies
      .filter((record) => isOurs(record) && record !== disturbed)
      .flatMap((record) => [checkProgress(record), checkStaleness(record), checkLocks(record)]),
    check(
      disturbed,
      'its runs are stopped and killed',
      disturbed.stopped > 0 && kills > 0,
      `${disturbed.stopped} ended early, ${kills} waves with a kill`,
    ),
    check(
      old,
      '20 to 45 % of its runs are not killed, as in its account',
      asInAccount || !isJudged,
      isJudged ? share : `${share}, not judged in fewer than a day`,
    ),
  ]
}

/** Where there is more to do than the old policy has time for. */
export function checkDoubled({ policies, hours }: Scenario): Check[] {
  return policies
    .filter(({ policy }) => policy === 'old' || policy === 'all')
    .map((record) =>
      record.policy === 'all'
        ? checkStaleness(record)
        : check(
            record,
            `with twice the changes a source is stale for over half of the ${hours} hours`,
            worstHours(record) > hours / 2,
            formatHours(worstHours(record)),
          ),
    )
}

/** Whether the pages of ours are right, whatever was stopped or killed, and nothing was done twice. */
export const checkPages = ({ policies }: Scenario): Check[] =>
  policies.filter(isOurs).flatMap((record) => {
    const { wrongPages, storedAgain, readAgain, stopped } = record
    const isReadOnce = readAgain <= limits.MAX_PAGES_READ_AGAIN * stopped
    return [
      check(
        record,
        "every page is its bookmark's or newer; in the end path, blob and text are the ref's",
        wrongPages === 0,
        `${wrongPages} wrong`,
      ),
      check(
        record,
        'nothing is stored twice, nor read but for a batch after a stop',
        storedAgain === 0 && isReadOnce,
        `${storedAgain} stored, ${readAgain} read again after ${stopped} stops`,
      ),
    ]
  })

/** Of few waves one may be lost to whatever else the machine does. */
function checkProgress(record: PolicyRecord): Check {
  const lost = record.waves.filter(({ outcome }) => outcome === 'stuck').length
  const passed = lost <= Math.max(1, (1 - limits.MIN_PROGRESSED) * record.waves.length)
  return check(
    record,
    'at least 95 % of the runs, or all but one, make progress',
    passed,
    formatPercent(record.progressed),
  )
}

/** A wave that does not finish leaves a source for the next one, an hour later. */
function checkStaleness(record: PolicyRecord): Check {
  const allowed = limits.MAX_STALE_HOURS + record.unfinishedInARow
  const sentence = 'no source is stale for over 2 hours, and one for each wave in a row that did not finish it'
  return check(record, sentence, worstHours(record) <= allowed, `${formatHours(worstHours(record))} of ${allowed}`)
}

const checkLocks = (record: PolicyRecord) =>
  check(record, 'no lock waits for a person', record.interventions === 0, record.interventions)
