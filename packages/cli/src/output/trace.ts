import { subscribe } from 'node:diagnostics_channel'
import { redact, type TracedGit, type TracedStatement } from '@tidemark/sync-core'
import { logLine } from './log.ts'

/** A statement may hold the whole of a migration. */
const MAX_LENGTH = 160

/** Shows each git command and each SQL statement with its time on standard error, without secrets. */
export function traceToStderr(): void {
  subscribe('tidemark:git', (message) => {
    const { args, folder, elapsedMs, ok } = message as TracedGit
    writeTrace('git', elapsedMs, `${ok ? '' : 'failed: '}${args.join(' ')}  (${folder})`)
  })
  subscribe('tidemark:sql', (message) => {
    const { text, elapsedMs, rows } = message as TracedStatement
    writeTrace('sql', elapsedMs, `${rows === null ? 'failed' : `${rows} rows`}: ${text}`)
  })
}

function writeTrace(what: string, elapsedMs: number, text: string): void {
  const line = redact(text).replace(/\s+/g, ' ').trim()
  const shown = line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH - 1)}…` : line
  logLine('debug', `${what} ${elapsedMs.toFixed(0).padStart(5)} ms  ${shown}`)
}
