import { InvalidArgumentError } from 'commander'
import { durationMs } from './config/duration.ts'
import { UsageError } from './usage-error.ts'

/** A duration in milliseconds; an argument parser for options. */
export function duration(text: string): number {
  try {
    return durationMs(text)
  } catch (error) {
    if (error instanceof UsageError) throw new InvalidArgumentError(error.hint)
    throw error
  }
}

/** A whole number of 1 or more; an argument parser for options. */
export function count(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('Give a whole number of 1 or more.')
  return Number(text)
}

/** Another one of an option that can be given several times; an argument parser. */
export const several = (text: string, before: string[] = []) => [...before, text]
