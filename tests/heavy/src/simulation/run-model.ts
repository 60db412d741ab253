import type { Costs } from './costs.ts'
import type { ModelSource, Progress } from './model-source.ts'
import type { Rules } from './rules.ts'

/** How a run of a source goes that has got its lock. */
export interface ModelRun {
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

/** Nothing is for nothing. */
const MIN_SECONDS = 1e-6

interface Circumstances {
  readonly rules: Rules
  readonly costs: Costs
  readonly hourSeconds: number
  /** When it takes up the source, and when a hard limit ends it. */
  readonly startHour: number
  readonly killHour: number
}

/** Nothing of it changes while it runs, so that all of it is known when it begins. */
export function runModel(source: ModelSource, progress: Progress, circumstances: Circumstances): ModelRun {
  const { rules, costs, hourSeconds, startHour, killHour } = circumstances
  const endAfter = (seconds: number) => startHour + seconds / hourSeconds
  if (progress.changed === 0 && !progress.isNew) {
    const endHour = Math.min(endAfter(costs.check), killHour)
    return { outcome: 'finished', endHour, killed: endHour === killHour, read: 0, stored: 0, settled: 0 }
  }
  const share = progress.isNew ? 1 : READ_SHARE
  const known = share * (progress.changed - progress.unstored)
  const toStore = share * (rules.keeps === 'nothing' ? progress.changed : progress.unstored)
  const toReread = rules.keeps === 'pages to read again' ? known : 0
  const fileSeconds = Math.max(MIN_SECONDS, costs.file + costs.section * source.sections)
  const rereadSeconds = Math.max(MIN_SECONDS, costs.reread)
  const filesSeconds = toReread * rereadSeconds + toStore * fileSeconds
  const covered = rules.budgetCoversFirst || !progress.isNew
  const budgetSeconds = covered ? costs.start + rules.budgetHours * hourSeconds : Number.POSITIVE_INFINITY
  const inTime = costs.fixed + filesSeconds <= budgetSeconds
  const neededSeconds = inTime ? costs.fixed + filesSeconds + costs.page * source.pages : budgetSeconds
  const killed = endAfter(neededSeconds) > killHour
  const seconds = killed ? Math.max(0, (killHour - startHour) * hourSeconds) : neededSeconds
  // What is known already comes first: a stopped run has left it in the order in which the next one goes.
  const left = inTime && !killed ? Number.POSITIVE_INFINITY : Math.max(0, seconds - costs.fixed)
  const reread = Math.min(toReread, left / rereadSeconds)
  const done = Math.min(toStore, Math.max(0, left - reread * rereadSeconds) / fileSeconds)
  const stored = rules.keeps === 'nothing' ? Math.max(0, done - known) : done
  const unfinished = rules.keeps !== 'nothing' && stored >= 1 ? 'progressed' : 'stuck'
  return {
    outcome: inTime && !killed ? 'finished' : unfinished,
    endHour: endAfter(seconds),
    killed,
    read: reread + done,
    stored,
    settled: stored / share,
  }
}
