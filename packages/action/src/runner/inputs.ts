import * as core from '@actions/core'
import { durationMs, UsageError } from 'tidemark/config'

/** One of some words. @throws {UsageError} */
export function choiceInput<Choice extends string>(name: string, choices: readonly Choice[]): Choice {
  const text = core.getInput(name)
  const choice = choices.find((each) => each === text)
  if (choice !== undefined) return choice
  throw new UsageError(`the input ${name} is ${quote(text)}`, `Give one of ${choices.join(', ')}.`)
}

/** Whether an input is `true`; one that is empty is not. @throws {UsageError} */
export const flagInput = (name: string): boolean =>
  core.getInput(name) !== '' && choiceInput(name, ['true', 'false']) === 'true'

/** Milliseconds of an input such as `10m`; undefined where it is empty. @throws {UsageError} naming the input. */
export function durationInput(name: string): number | undefined {
  const text = core.getInput(name)
  if (text === '') return undefined
  try {
    return durationMs(text)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    throw new UsageError(`the input ${name}: ${error.message}`, error.hint)
  }
}

/** A whole number of 1 or more. @throws {UsageError} */
export function countInput(name: string): number {
  const text = core.getInput(name)
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text)
  throw new UsageError(`the input ${name} is ${quote(text)}`, 'Give a whole number from 1 to 9999.')
}

/** The names in `source` and `sources`, which spaces, commas or lines part; none means all sources. */
export function namesInput(): string[] {
  const text = `${core.getInput('source')} ${core.getInput('sources')}`
  return [...new Set(text.split(/[\s,]+/).filter(Boolean))]
}

/** In quotes that end where the text ends, whatever is in it. */
const quote = (text: string) => JSON.stringify(text)
