import type { SourceRun } from '../reproducer/wave.ts'
import { connectionPool } from './connection-pool.ts'
import type { Costs } from './costs.ts'
import { courseOf } from './course.ts'
import { eventQueue } from './event-queue.ts'
import { advance, type ModelSource, progressOf } from './model-source.ts'
import type { Rules } from './rules.ts'
import { runnerPool } from './runner-pool.ts'

/** Where a policy is put. */
export interface World {
  readonly sources: readonly ModelSource[]
  /** How many there are; a wave begins so long after the beginning of each. */
  readonly hours: number
  readonly waveAt: number
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

/** One run of a source, as it is told to an observer. */
export interface ModelRun extends Omit<SourceRun, 'source'> {
  /** Number of the wave, and of the source. */
  readonly wave: number
  readonly source: number
  readonly refused: boolean
}

export interface Observer {
  waveBegan(wave: number, hour: number): void
  ran(run: ModelRun): void
  /** A limit has ended the process of this wave. */
  cut(wave: number, hour: number): void
  /** A source holds all that had come before `behindSince`, which is when the next change came. */
  caughtUp(source: number, hour: number, behindSince: number): void
}

/** What a wave does on one machine. */
interface Job {
  readonly wave: number
  readonly waveHour: number
  readonly sources: readonly number[]
  readonly killHour: number
  next: number
  lanes: number
  ended(hour: number): void
}

/** GitHub's limit of a matrix. */
const MOST_JOBS = 256

/**
 * Waves on the hour, on schedule whether or not the last has ended, by a policy's rules. Nothing happens between the
 * beginning and the end of a run that could change it, so that an event is the end of one.
 */
export function simulate(rules: Rules, costs: Costs, world: World, observer: Observer): void {
  const { sources, hourSeconds } = world
  const progress = sources.map(progressOf)
  const queue = eventQueue()
  const runners = runnerPool(world.runners)
  const connections = connectionPool(world.connections)
  const hoursOf = (seconds: number) => seconds / hourSeconds
  const everySource = sources.map((_, i) => i)

  function wave(number: number, hour: number) {
    observer.waveBegan(number, hour)
    for (const { lock } of progress) {
      if (lock.lastSeen + rules.lock.breakAfterHours <= hour && lock.aliveUntil <= hour) lock.inTheWayUntil = hour
    }
    const planned = hour + hoursOf(costs.lead)
    if (rules.spread === 'wave') {
      const [killHour, { lanes }] = [hour + rules.waveLimitHours, rules]
      const order = rules.inTurn
        ? everySource.toSorted((a, b) => progress[a]!.lookedAt - progress[b]!.lookedAt)
        : everySource
      const job = { wave: number, waveHour: hour, sources: order, killHour, next: 0, lanes, ended() {} }
      start(job, planned)
      return
    }
    for (const packed of packs(due(number, hour, planned))) {
      const job: Job = {
        wave: number,
        waveHour: hour,
        sources: packed,
        killHour: Number.POSITIVE_INFINITY,
        next: 0,
        lanes: rules.lanes,
        ended: (end) => runners.give(end),
      }
      const ready = planned + world.startDelayHours()
      queue.at(ready, (now) => runners.take(now, (from) => start(job, from)))
    }
  }

  /** What is said of a source that a wave has not worked on: that it needed it, or had all. */
  const untouched = (i: number, waveHour: number, outcome: SourceRun['outcome']) => {
    const next = sources[i]!.arrivals.hours[progress[i]!.bookmark] ?? Number.POSITIVE_INFINITY
    return !progress[i]!.isNew && next > waveHour ? 'finished' : outcome
  }

  /** Sources with something to do that no job waits for, most stale first; of the others it tells. */
  function due(wave: number, hour: number, planned: number): number[] {
    const behindSince = (i: number) => sources[i]!.arrivals.hours[progress[i]!.bookmark] ?? 0
    const found: number[] = []
    for (const [i, source] of sources.entries()) {
      const it = progress[i]!
      advance(source, it, hour)
      const inHand = it.waiting || it.lock.aliveUntil > planned
      if (!inHand && (it.changed > 0 || it.isNew)) found.push(i)
      else {
        const outcome = inHand ? 'in hand' : 'finished'
        observer.ran({ wave, source: i, outcome, startHour: hour, endHour: hour, ...NOTHING })
      }
    }
    for (const i of found) progress[i]!.waiting = true
    return found.sort((a, b) => behindSince(a) - behindSince(b))
  }

  function start(job: Job, hour: number) {
    const lanes = Math.min(job.lanes, job.sources.length)
    job.lanes = lanes
    for (let lane = 0; lane < lanes; lane++) step(job, hour)
  }

  /** A lane of a job is free at that hour. */
  function step(job: Job, hour: number) {
    const { wave, waveHour, killHour } = job
    if (hour >= killHour && job.next < job.sources.length) {
      observer.cut(wave, killHour)
      for (; job.next < job.sources.length; job.next++) {
        const source = job.sources[job.next]!
        const outcome = untouched(source, waveHour, 'stuck')
        observer.ran({ wave, source, outcome, startHour: null, endHour: null, ...NOTHING })
      }
    }
    if (job.next === job.sources.length) {
      job.lanes--
      if (job.lanes === 0) job.ended(hour)
      return
    }
    const source = job.sources[job.next++]!
    progress[source]!.waiting = false
    queue.at(sync(source, job, hour), (end) => step(job, end))
  }

  /** @returns when the lane is free for the next. */
  function sync(i: number, { wave, waveHour, killHour: waveKillHour }: Job, hour: number): number {
    const [source, it] = [sources[i]!, progress[i]!]
    const startHour = Math.min(hour, waveKillHour)
    const killHour = Math.min(waveKillHour, hour + rules.hardLimitHours)
    const freeAt = (endHour: number) => endHour + hoursOf(costs.gap)
    const lookedAt = Math.min(killHour, startHour + hoursOf(costs.look))
    if (it.lock.inTheWayUntil > startHour) {
      const outcome = it.lock.aliveUntil > startHour ? 'in hand' : untouched(i, waveHour, 'locked')
      observer.ran({ wave, source: i, outcome, startHour, endHour: lookedAt, ...NOTHING })
      return freeAt(lookedAt)
    }
    it.lookedAt = startHour
    advance(source, it, startHour)
    const course = courseOf(source, it, { rules, costs, hourSeconds, beginHour: startHour, killHour })
    const { endHour, outcome, read, stored, settled, killed } = course
    if (!connections.take(startHour, endHour, world.random() < 0.5 ? 2 : 3)) {
      observer.ran({
        wave,
        source: i,
        outcome: 'stuck',
        startHour,
        endHour: lookedAt,
        ...NOTHING,
        refused: true,
      })
      return freeAt(lookedAt)
    }
    const lastSeen = rules.lock.heartbeat ? endHour : startHour
    it.lock = {
      aliveUntil: endHour,
      inTheWayUntil: killed ? Math.max(endHour, lastSeen + rules.lock.ttlHours) : endHour,
      lastSeen,
    }
    if (outcome === 'finished') {
      Object.assign(it, { isNew: false, bookmark: it.arrived, changed: 0, unstored: 0 })
      observer.caughtUp(i, endHour, source.arrivals.hours[it.arrived] ?? Number.POSITIVE_INFINITY)
    } else it.unstored = Math.max(0, it.unstored - settled)
    if (killed) observer.cut(wave, killHour)
    observer.ran({ wave, source: i, outcome, startHour, endHour, read, stored, refused: false })
    return freeAt(endHour)
  }

  for (let number = 0; number < world.hours; number++) {
    queue.at(number + world.waveAt + world.startDelayHours(), (hour) => wave(number, hour))
  }
  queue.run()
}

const NOTHING = { read: 0, stored: 0, refused: false }

/** A job for each, or several to a job where there are more than a matrix has, the most stale of them first. */
function packs(due: readonly number[]): number[][] {
  const jobs: number[][] = Array.from({ length: Math.min(MOST_JOBS, due.length) }, () => [])
  for (const [i, source] of due.entries()) jobs[i % jobs.length]!.push(source)
  return jobs
}
