import type { Limits } from '../reproducer/limits.ts'

/** A policy as the model knows it; durations in hours of its clock, infinite where there is none. */
export interface Rules {
  readonly policy: string
  /** How many sources are at work at a time in a wave, or in a job of one. */
  readonly lanes: number
  /** `jobs`: a plan of what is due, then jobs on runners. `wave`: all sources on one machine. */
  readonly spread: 'wave' | 'jobs'
  /** The order of a wave: those first that were looked at longest ago, or that of the configuration. */
  readonly inTurn: boolean
  /** SIGKILL: to the wave, and to what works on one source. */
  readonly waveLimitHours: number
  readonly hardLimitHours: number
  readonly budgetHours: number
  /** Whether the budget is looked at in a first import too. */
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

/** What the policies of the reproducer do, under its limits. */
export function rulesUnder(limits: Limits): readonly Rules[] {
  const hours = (ms: number) => ms / limits.hourMs
  const none = Number.POSITIVE_INFINITY
  const wave = { spread: 'wave', waveLimitHours: hours(limits.waveMs), hardLimitHours: none } as const
  const budget = { budgetHours: hours(limits.budgetSeconds * 1_000), budgetCoversFirst: true }
  const lease = { ttlHours: hours(LEASE_SECONDS * 1_000), heartbeat: true, breakAfterHours: none }
  const ours = { ...wave, ...budget, keeps: 'pages', lock: lease, inTurn: true } as const
  return [
    {
      ...wave,
      policy: 'old',
      inTurn: false,
      lanes: 1,
      budgetHours: none,
      budgetCoversFirst: false,
      keeps: 'nothing',
      lock: { ttlHours: hours(limits.legacyTtlMs), heartbeat: false, breakAfterHours: none },
    },
    {
      ...wave,
      ...budget,
      policy: 'first fix',
      inTurn: false,
      lanes: 1,
      waveLimitHours: none,
      hardLimitHours: hours(limits.hardMs),
      budgetCoversFirst: false,
      keeps: 'pages to read again',
      lock: { ttlHours: 0.5, heartbeat: true, breakAfterHours: 0.5 },
    },
    {
      ...ours,
      policy: 'cron',
      // One line a source.
      inTurn: false,
      lanes: 1,
      waveLimitHours: none,
      hardLimitHours: hours(limits.hardMs),
      lock: { ...lease, breakAfterHours: Math.min(0.5, hours(60_000)) },
    },
    { ...ours, policy: 'all', lanes: 4 },
    { ...ours, policy: 'independent', lanes: 4 },
    {
      ...ours,
      policy: 'matrix',
      lanes: 4,
      spread: 'jobs',
      waveLimitHours: none,
      hardLimitHours: hours(limits.hardMs),
    },
  ]
}
