import { type Problem, redact } from '@tidemark/sync-core'
import { formatProblem } from './format-problem.ts'
import { escapeJson } from './json-document.ts'
import type { LogEntry, LogEvent, LogLevel } from './log-event.ts'
import { terminalLine } from './terminal-text.ts'

// All that goes to standard error, but help and what a terminal draws anew, goes through here: as lines for people, or
// with --log json as events for a collector, never both.

/** How runs log. */
export interface LogFlags {
  readonly log?: 'text' | 'json'
  /** By default where standard error is no terminal. */
  readonly logTime?: boolean
  readonly quiet?: boolean
}

// Of the process, as standard error is. Commands that are for people alone leave it as it is.
let format = { json: false, time: false, quiet: false }

/** Has all that is logged from now on be as these flags of a run say. */
export function configureLog({ log, logTime, quiet = false }: LogFlags): void {
  format = { json: log === 'json', time: logTime ?? !process.stderr.isTTY, quiet }
}

/** Whether events are logged, and no lines. */
export const logsEvents = (): boolean => format.json

/** Logs an event where events are logged. */
export function logEvent(level: LogLevel, entry: LogEntry): void {
  if (!format.json || (format.quiet && (level === 'info' || level === 'debug'))) return
  const event: LogEvent = { time: new Date().toISOString(), level, ...entry }
  const text = JSON.stringify(event, (_, value) => (typeof value === 'string' ? redact(value) : value))
  process.stderr.write(`${escapeJson(text)}\n`)
}

const EVENTS = { debug: 'trace', info: 'message', warning: 'warning', error: 'error' } as const

/** Logs a line, or an event with its text. */
export function logLine(level: LogLevel, line: string): void {
  if (format.json) logEvent(level, { event: EVENTS[level], message: line.replace(/^tidemark: /, '') })
  else writeText(`${terminalLine(line)}\n`)
}

/** Logs a problem and its next step. @param about the source that has it, where the message does not say */
export function logProblem(
  level: LogLevel,
  { code, ...problem }: Problem & { readonly code?: string },
  about?: string,
): void {
  const { message, nextStep: hint } = problem
  const source = about === undefined ? {} : { source: about }
  if (format.json) logEvent(level, { event: EVENTS[level], ...source, ...(code && { code }), message, hint })
  else writeText(formatProblem(problem, about))
}

function writeText(text: string): void {
  process.stderr.write(format.time ? `${new Date().toISOString()} ${text}` : text)
}
