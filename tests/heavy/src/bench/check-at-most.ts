import type { Check } from '../harness/harness.ts'

type Format = (value: number) => string

/** Checks that a figure does not exceed a threshold; a figure that is null does not pass. */
export function checkAtMost(figure: string, value: number | null, max: number, format: Format): Check {
  return {
    check: `${figure}: at most ${format(max)}`,
    passed: value !== null && value <= max,
    observed: orDash(value, format),
  }
}

export const orDash = (value: number | null, format: Format) => (value === null ? '–' : format(value))

/** How many times as much as another. */
export const formatFactor = (factor: number) => `${factor.toFixed(2)} ×`
