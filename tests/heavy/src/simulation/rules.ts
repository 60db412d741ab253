import type { Limits } from '../reproduction/schedule.ts'

/** A policy as the model knows it; durations in hours of its clock, infinite where there is none. */
export interface Rules {
  readonly policy: string
  /** How many sources are at work at a time in a wave, or in a job of one. */
  readonly lanes: number
  /** `jobs`: a plan of what is due, then jobs on runners. `wave`: all sources on one machine. */
  readonly spread: 'wave' | 'jobs'
  /** The order of a wave; else that of the configuration. */
  readonly leastRecentlyCheckedFirst: boolean
  /** SIGKILL: to the wave, and to what works on one source. */
  readonly waveLimitHours: number
  readonly hardLimitHours: number
  readonly budgetHours: number
  /** Whether the budget holds for a first import too. */
  readonly budgetCoversFirst: boolean
  /** What a run that has not ended well leaves: nothing; pages that the next one reads but need not store; pages. */
  readonly keeps: 'nothing' | 'pages to read again' | 'pages'
  readonly lock: {
    readonly ttlHours: number
    /** Whether its holder shows signs of life. Without, the lock lasts from the start of the run. */
    readonly heartbeat: boolean
    /** A wave begins by breaking locks without a sign of life for that long. */
    readonly breakAfterHours: number
  }
}

/** A lease of ours, by its default; it is not scaled. */
const LEASE_SECONDS = 90

/** What the policies of the reproduction do, under its limits. */
export function createRules(limits: Limits): readonly Rules[] {
  const hours = (ms: number) => ms / limits.hourMs
  const none = Number.POSITIVE_INFINITY
  const lease = { ttlHours: hours(LEASE_SECONDS * 1_000), heartbeat: true, breakAfterHours: none }
  const limitedWave = { waveLimitHours: hours(limits.waveMs), hardLimitHours: none }
  const limitedRun = { waveLimitHours: none, hardLimitHours: hours(limits.hardMs) }
  const ours: Omit<Rules, 'policy'> = {
    ...limitedWave,
    lanes: 4,
    spread: 'wave',
    leastRecentlyCheckedFirst: true,
    budgetHours: hours(limits.budgetSeconds * 1_000),
    budgetCoversFirst: true,
    keeps: 'pages',
    lock: lease,
  }
  const legacy = { ...ours, lanes: 1, leastRecentlyCheckedFirst: false, budgetCoversFirst: false }
  return [
    {
      ...legacy,
      policy: 'old',
      budgetHours: none,
      keeps: 'nothing',
      lock: { ttlHours: hours(limits.legacyTtlMs), heartbeat: false, breakAfterHours: none },
    },
    {
      ...legacy,
      ...limitedRun,
      policy: 'first fix',
      keeps: 'pages to read again',
      lock: { ttlHours: 0.5, heartbeat: true, breakAfterHours: 0.5 },
    },
    {
      ...ours,
      ...limitedRun,
      policy: 'cron',
      // One line a source.
      lanes: 1,
      leastRecentlyCheckedFirst: false,
      lock: { ...lease, breakAfterHours: Math.min(0.5, hours(60_000)) },
    },
    { ...ours, policy: 'all' },
    { ...ours, policy: 'independent' },
    { ...ours, ...limitedRun, policy: 'matrix', spread: 'jobs' },
  ]
}
