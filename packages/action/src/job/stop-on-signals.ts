import { constants } from 'node:os'

/** The signals that a runner sends when a job is cancelled: SIGINT, and SIGTERM 7.5 s later. */
const STOPPING = ['SIGINT', 'SIGTERM'] as const

export interface Stop extends Disposable {
  readonly signal: AbortSignal
  /** 130 or 143 once a signal has come. */
  exitCode(): number | undefined
}

/** Runs stop as partial on the first SIGINT or SIGTERM. */
export function stopOnSignals(): Stop {
  const controller = new AbortController()
  let code: number | undefined
  const stop = (name: (typeof STOPPING)[number]) => {
    code ??= 128 + constants.signals[name]
    controller.abort(new Error(`stopped by ${name}`))
  }
  for (const name of STOPPING) process.on(name, stop)
  return {
    signal: controller.signal,
    exitCode: () => code,
    [Symbol.dispose]() {
      for (const name of STOPPING) process.off(name, stop)
    },
  }
}
