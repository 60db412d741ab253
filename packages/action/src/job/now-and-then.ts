import * as core from '@actions/core'

/** A log that is followed shows life, and one that is read later is not all progress. */
const EVERY_MS = 10_000

/** Tells now and then where a run is. @param told a line for the log */
export function nowAndThen<Progress>(told: (progress: Progress) => string): (progress: Progress) => void {
  let last = performance.now()
  return (progress) => {
    if (performance.now() - last < EVERY_MS) return
    last = performance.now()
    core.info(told(progress))
  }
}
