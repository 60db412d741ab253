import { InvalidArgumentError } from 'commander'

/** The number that an option is given. @throws {InvalidArgumentError} where it is none. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It is not a whole number.')
  return Number(text)
}
