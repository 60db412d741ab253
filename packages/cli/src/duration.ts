import { InvalidArgumentError } from 'commander'

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000 }

/** Milliseconds of `60`, `60s`, `10m` or `1h`; an argument parser for options. */
export function durationMs(text: string): number {
  const [, digits, unit] = /^(\d{1,9})([smh]?)$/.exec(text) ?? []
  const ms = Number(digits) * UNIT_MS[(unit || 's') as keyof typeof UNIT_MS]
  if (digits === undefined || ms === 0) {
    throw new InvalidArgumentError('Give a duration such as 60, 60s, 10m or 1h.')
  }
  return ms
}

/** A whole number of 1 or more; an argument parser for options. */
export function count(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('Give a whole number of 1 or more.')
  return Number(text)
}
