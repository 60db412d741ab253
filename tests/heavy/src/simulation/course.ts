import type { Costs } from './costs.ts'
import type { ModelSource, Progress } from './model-source.ts'
import type { Rules } from './rules.ts'

/** How a run of a source goes that has got its lock. */
export interface Course {
  readonly outcome: 'finished' | 'progressed' | 'stuck'
  readonly endHour: number
  readonly killed: boolean
  readonly read: number
  /** Of what was read: versions that the policy had not read before. */
  readonly stored: number
  /** How many pages fewer there are that differ and were never read: those, and what needs no reading. */
  readonly settled: number
}

/** Of a hundred changed files four are deleted and four moved; nobody reads the former, and only some the latter. */
const READ_SHARE = 0.94

/** Seconds: nothing is for nothing. */
const LEAST = 1e-6

interface Circumstances {
  readonly rules: Rules
  readonly costs: Costs
  readonly hourSeconds: number
  /** When it takes up the source, and when a hard limit ends it. */
  readonly beginHour: number
  readonly killHour: number
}

/** Nothing of it changes while it runs, so that its whole course is known when it begins. */
export function courseOf(source: ModelSource, progress: Progress, at: Circumstances): Course {
  const { rules, costs, hourSeconds, beginHour, killHour } = at
  const endAfter = (seconds: number) => beginHour + seconds / hourSeconds
  if (progress.changed === 0 && !progress.isNew) {
    const endHour = Math.min(endAfter(costs.look), killHour)
    return { outcome: 'finished', endHour, killed: endHour === killHour, read: 0, stored: 0, settled: 0 }
  }
  const share = progress.isNew ? 1 : READ_SHARE
  const known = share * (progress.changed - progress.unstored)
  const toStore = share * (rules.keeps === 'nothing' ? progress.changed : progress.unstored)
  const toReadAgain = rules.keeps === 'pages to read again' ? known : 0
  const each = Math.max(LEAST, costs.file + costs.section * source.sections)
  const again = Math.max(LEAST, costs.again)
  const filesSeconds = toReadAgain * again + toStore * each
  const covered = rules.budgetCoversFirst || !progress.isNew
  const budgetSeconds = covered ? costs.start + rules.budgetHours * hourSeconds : Number.POSITIVE_INFINITY
  const inTime = costs.fixed + filesSeconds <= budgetSeconds
  const wantedSeconds = inTime ? costs.fixed + filesSeconds + costs.page * source.pages : budgetSeconds
  const killed = endAfter(wantedSeconds) > killHour
  const seconds = killed ? Math.max(0, (killHour - beginHour) * hourSeconds) : wantedSeconds
  // What is known already comes first: a stopped run has left it in the order in which the next one goes.
  const left = inTime && !killed ? Number.POSITIVE_INFINITY : Math.max(0, seconds - costs.fixed)
  const readAgain = Math.min(toReadAgain, left / again)
  const done = Math.min(toStore, Math.max(0, left - readAgain * again) / each)
  const stored = rules.keeps === 'nothing' ? Math.max(0, done - known) : done
  const unfinished = rules.keeps !== 'nothing' && stored >= 1 ? 'progressed' : 'stuck'
  return {
    outcome: inTime && !killed ? 'finished' : unfinished,
    endHour: endAfter(seconds),
    killed,
    read: readAgain + done,
    stored,
    settled: stored / share,
  }
}
