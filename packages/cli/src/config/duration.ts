import { UsageError } from '../usage-error.ts'

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000 }

/** As many weeks as a day has hours: longer than any sync is waited for, and well within what a number can hold. */
const MAX_MS = 24 * 7 * 24 * UNIT_MS.h

/**
 * Milliseconds of `60`, `60s`, `10m` or `1h`; a bare number is in seconds.
 *
 * @throws {UsageError} for zero, fractions, signs, spaces, other units, and more than 4032h, which are 24 weeks.
 */
export function durationMs(text: string): number {
  const [, digits, unit] = /^(\d+)([smh]?)$/.exec(text) ?? []
  const ms = Number(digits) * UNIT_MS[(unit || 's') as keyof typeof UNIT_MS]
  if (digits === undefined || ms === 0) {
    throw new UsageError(`"${text}" is not a duration`, 'Give a duration such as 60, 60s, 10m or 1h.')
  }
  if (ms > MAX_MS) {
    throw new UsageError(`${text} is too long`, `Give at most ${MAX_MS / UNIT_MS.h}h, which are 24 weeks.`)
  }
  return ms
}
