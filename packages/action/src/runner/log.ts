import * as core from '@actions/core'
import { errorProblem, type RunResult, redact, statusText } from '@tidemark/sync-core'

/** A log that is followed shows life, and one that is read later is not all progress. */
const PROGRESS_INTERVAL_MS = 10_000

/** Logs now and then where a run is. @param format a line for the log */
export function logProgress<Progress>(format: (progress: Progress) => string): (progress: Progress) => void {
  let last = performance.now()
  return (progress) => {
    if (performance.now() - last < PROGRESS_INTERVAL_MS) return
    last = performance.now()
    core.info(format(progress))
  }
}

/** Logs how a run ended, in a group by the name of its source. @param lines what else there is to say of it */
export function logOutcome(result: RunResult, lines: readonly string[]): void {
  core.startGroup(`${result.source}: ${statusText(result)}`)
  for (const line of lines) core.info(line)
  for (const { message } of result.warnings) core.info(quoteLines(message))
  if (result.status === 'failed') core.info(quoteLines(`${result.error.message}\n${result.error.hint}`))
  core.endGroup()
}

/** A runner takes a line that begins with "::" for a command, also behind spaces, and a server may send one. */
function quoteLines(text: string): string {
  return text
    .split(/[\r\n]+/)
    .map((line) => `| ${line}`)
    .join('\n')
}

/** The message of an error and its next step, without secrets, on one line. */
export function oneLineError(error: unknown): string {
  const { message, nextStep } = errorProblem(error, '')
  return redact([message, nextStep].filter(Boolean).join('. '))
}
