import { constants } from 'node:os'

type StopSignal = 'SIGHUP' | 'SIGINT' | 'SIGTERM'

export interface Stop {
  readonly signal: AbortSignal
  /** Stops the runs as that signal would. */
  stop(name: StopSignal): void
  /** 129, 130 or 143 once the runs were stopped. */
  exitCode(): number | undefined
}

/**
 * How far apart two SIGINTs must be for the second to be a person's. `timeout` signals a process and then its group,
 * and npx passes on what the terminal has sent to it too: both are one wish that arrives twice.
 */
const SIGNAL_DEBOUNCE_MS = 200

/** The first signal to end, or to hang up as a terminal does when it is closed, stops the runs as partial; a second SIGINT ends the process at once. @param onHangup what SIGHUP does to a process that stays */
export function stopOnSignals(onHangup?: () => void): Stop {
  const controller = new AbortController()
  let received: StopSignal | undefined
  let receivedAt = 0
  const exitCode = () => (received === undefined ? undefined : 128 + constants.signals[received])
  const stop = (name: StopSignal) => {
    if (received === undefined) {
      received = name
      receivedAt = performance.now()
      controller.abort(new Error(`stopped by ${name}`))
    } else if (name === 'SIGINT' && performance.now() - receivedAt > SIGNAL_DEBOUNCE_MS) process.exit(exitCode())
  }
  // Never taken off: a signal that comes when all is done would cause another end than the one that was shown.
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, stop)
  process.on('SIGHUP', onHangup ?? stop)
  return { signal: controller.signal, stop, exitCode }
}
