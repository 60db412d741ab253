import type { SourceRun } from '../reproduction/policy-record.ts'
import type { Costs } from './costs.ts'
import { createEventQueue } from './event-queue.ts'
import { advance, behindSince, type ModelSource, startProgress } from './model-source.ts'
import { createConnectionPool, createRunnerPool } from './pools.ts'
import type { Rules } from './rules.ts'
import { runModel } from './run-model.ts'

/** Where a policy is put. */
export interface World {
  readonly sources: readonly ModelSource[]
  /** How many there are; a wave begins so long after the beginning of each. */
  readonly hours: number
  readonly waveOffsetHours: number
  /** What an hour takes, by the clock that costs are in. */
  readonly hourSeconds: number
  /** Runners that take jobs at the same time. */
  readonly runners: number
  /** Connections that the database has; a run takes two or three, and fails where they are not to be had. */
  readonly connections: number
  /** Draws how late a runner starts: every wave has one, and every job. */
  startDelayHours(): number
  /** Draws from 0 to 1. */
  random(): number
}

/** One run of a source, as an observer sees it. */
export interface SimulatedRun extends Omit<SourceRun, 'source'> {
  /** Number of the wave, and of the source. */
  readonly wave: number
  readonly source: number
  /** Whether it got no connection. */
  readonly refused: boolean
}

export interface Observer {
  waveStarted?(wave: number, hour: number): void
  /** A limit has ended a process of this wave. */
  waveKilled?(wave: number): void
  sourceRan(run: SimulatedRun): void
  /** A source holds all that had come before `since`, which is when the next change came. */
  caughtUp(source: number, hour: number, since: number): void
}

/** What a wave does on one machine. */
interface Job {
  readonly wave: number
  readonly waveHour: number
  readonly sources: readonly number[]
  readonly killHour: number
  next: number
  lanes: number
  ended?(hour: number): void
}

/** GitHub's limit of a matrix. */
const MAX_JOBS = 256

const NO_WORK = { read: 0, stored: 0, refused: false }

/**
 * Waves on the hour, on schedule whether or not the last has ended, by a policy's rules. Nothing happens between the
 * beginning and the end of a run that could change it, so that an event is the end of one.
 */
export function simulate(rules: Rules, costs: Costs, world: World, observer: Observer): void {
  const { sources, hourSeconds } = world
  const progress = sources.map(startProgress)
  const queue = createEventQueue()
  const runners = createRunnerPool(world.runners)
  const connections = createConnectionPool(world.connections)
  const toHours = (seconds: number) => seconds / hourSeconds

  function startWave(wave: number, hour: number) {
    observer.waveStarted?.(wave, hour)
    for (const { lock } of progress) {
      if (lock.lastSeen + rules.lock.breakAfterHours <= hour && lock.aliveUntil <= hour) lock.inTheWayUntil = hour
    }
    const planned = hour + toHours(costs.lead)
    const job = { wave, waveHour: hour, next: 0, lanes: rules.lanes }
    if (rules.spread === 'wave') {
      const order = [...sources.keys()]
      if (rules.leastRecentlyCheckedFirst) order.sort((a, b) => progress[a]!.checkedAt - progress[b]!.checkedAt)
      startJob({ ...job, sources: order, killHour: hour + rules.waveLimitHours }, planned)
      return
    }
    for (const packed of packIntoJobs(planJobs(wave, hour, planned))) {
      const start = (from: number) =>
        startJob({ ...job, sources: packed, killHour: Number.POSITIVE_INFINITY, ended: runners.release }, from)
      queue.at(planned + world.startDelayHours(), (ready) => runners.acquire(ready, start))
    }
  }

  /** Sources with something to do that no job waits for, most stale first; of the others the observer hears. */
  function planJobs(wave: number, hour: number, planned: number): number[] {
    const firstMissing = (i: number) => sources[i]!.arrivals.hours[progress[i]!.bookmark] ?? 0
    const due = [...sources.keys()].filter((i) => {
      const state = progress[i]!
      advance(sources[i]!, state, hour)
      const isRunning = state.waiting || state.lock.aliveUntil > planned
      if (!isRunning && (state.changed > 0 || state.isNew)) return true
      const outcome = isRunning ? 'running' : 'finished'
      observer.sourceRan({ wave, source: i, outcome, startHour: hour, endHour: hour, ...NO_WORK })
      return false
    })
    for (const i of due) progress[i]!.waiting = true
    return due.sort((a, b) => firstMissing(a) - firstMissing(b))
  }

  function startJob(job: Job, hour: number) {
    job.lanes = Math.min(job.lanes, job.sources.length)
    for (let lane = job.lanes; lane > 0; lane--) runNext(job, hour)
  }

  /** A lane of a job is free at that hour. */
  function runNext(job: Job, hour: number) {
    const { wave, waveHour, killHour } = job
    if (hour >= killHour && job.next < job.sources.length) {
      observer.waveKilled?.(wave)
      for (const source of job.sources.slice(job.next)) {
        const outcome = outcomeUntouched(source, waveHour, 'stuck')
        observer.sourceRan({ wave, source, outcome, startHour: null, endHour: null, ...NO_WORK })
      }
      job.next = job.sources.length
    }
    if (job.next < job.sources.length) {
      const source = job.sources[job.next++]!
      progress[source]!.waiting = false
      queue.at(runSource(source, job, hour) + toHours(costs.gap), (free) => runNext(job, free))
    } else if (--job.lanes === 0) job.ended?.(hour)
  }

  /** What is said of a source that a wave has not worked on: that it needed it, or had all. */
  function outcomeUntouched(source: number, waveHour: number, outcome: SourceRun['outcome']) {
    return behindSince(sources[source]!, progress[source]!) > waveHour ? 'finished' : outcome
  }

  /** @returns when it ends. */
  function runSource(i: number, { wave, waveHour, killHour: waveKillHour }: Job, hour: number): number {
    const [source, state] = [sources[i]!, progress[i]!]
    const startHour = Math.min(hour, waveKillHour)
    const killHour = Math.min(waveKillHour, hour + rules.hardLimitHours)
    const checkedHour = Math.min(killHour, startHour + toHours(costs.check))
    const base = { wave, source: i, startHour, ...NO_WORK }
    if (state.lock.inTheWayUntil > startHour) {
      const isRunning = state.lock.aliveUntil > startHour
      const outcome = isRunning ? 'running' : outcomeUntouched(i, waveHour, 'stale_lock')
      observer.sourceRan({ ...base, outcome, endHour: checkedHour })
      return checkedHour
    }
    state.checkedAt = startHour
    advance(source, state, startHour)
    const run = runModel(source, state, { rules, costs, hourSeconds, startHour, killHour })
    const { endHour, outcome, read, stored, settled, killed } = run
    if (!connections.acquire(startHour, endHour, world.random() < 0.5 ? 2 : 3)) {
      observer.sourceRan({ ...base, outcome: 'stuck', endHour: checkedHour, refused: true })
      return checkedHour
    }
    const lastSeen = rules.lock.heartbeat ? endHour : startHour
    const expires = killed ? Math.max(endHour, lastSeen + rules.lock.ttlHours) : endHour
    state.lock = { aliveUntil: endHour, inTheWayUntil: expires, lastSeen }
    if (outcome === 'finished') {
      Object.assign(state, { isNew: false, bookmark: state.arrived, changed: 0, unstored: 0 })
      observer.caughtUp(i, endHour, behindSince(source, state))
    } else state.unstored = Math.max(0, state.unstored - settled)
    if (killed) observer.waveKilled?.(wave)
    observer.sourceRan({ ...base, outcome, endHour, read, stored })
    return endHour
  }

  for (let wave = 0; wave < world.hours; wave++) {
    queue.at(wave + world.waveOffsetHours + world.startDelayHours(), (hour) => startWave(wave, hour))
  }
  queue.run()
}

/** A job for each, or several to a job where there are more than a matrix has, the most stale of them first. */
function packIntoJobs(due: readonly number[]): number[][] {
  const jobs: number[][] = Array.from({ length: Math.min(MAX_JOBS, due.length) }, () => [])
  for (const [i, source] of due.entries()) jobs[i % jobs.length]!.push(source)
  return jobs
}
