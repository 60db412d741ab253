import * as core from '@actions/core'
import { errorProblem, type RunResult, redact, statusText } from '@tidemark/sync-core'
import { terminalLine } from 'tidemark/runtime'
import { actionStep } from './action-step.ts'

/** A log that is followed shows life, and one that is read later is not all progress. */
const PROGRESS_INTERVAL_MS = 10_000

/** Logs a text by its lines, whatever is in it. */
export function log(text: string): void {
  for (const line of text.split(/[\r\n]+/)) core.info(terminalLine(line))
}

/** Logs now and then where a run is. @param format a line for the log */
export function logProgress<Progress>(format: (progress: Progress) => string): (progress: Progress) => void {
  let last = performance.now()
  return (progress) => {
    if (performance.now() - last < PROGRESS_INTERVAL_MS) return
    last = performance.now()
    log(format(progress))
  }
}

/** Logs how a run ended, in a group by the name of its source. @param lines what else there is to say of it */
export function logOutcome(result: RunResult, lines: readonly string[]): void {
  core.startGroup(terminalLine(`${result.source}: ${statusText(result)}`))
  for (const line of lines) log(line)
  for (const { message } of result.warnings) log(actionStep(message))
  if (result.status === 'failed') log(actionStep(`${result.error.message}\n${result.error.hint}`))
  core.endGroup()
}

/** The message of an error and its next step, without secrets, on one line. */
export function oneLineError(error: unknown): string {
  const { message, nextStep } = errorProblem(error, '')
  return oneLine(redact(actionStep([message, nextStep].filter(Boolean).join('. '))))
}

/** A text on one line, whatever is in it. */
export const oneLine = (text: string): string => terminalLine(text.trim().replace(/\s*[\r\n]\s*/g, ' '))
