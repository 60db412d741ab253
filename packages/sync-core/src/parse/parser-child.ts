import { fork } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import type { Socket } from 'node:net'
import { siblingModulePath } from '../sibling-module.ts'
import type { ParseReply, ParseRequest } from './parser-process.ts'

/** The place of a pipe among the child's files: its end tells the child of ours, and it tells us of its time limit. */
const PIPE = 4

export type ParseOutcome =
  | ParseReply
  /** The file has taken all the processor time that it may. */
  | { readonly timeLimit: true }
  /** Something else has ended the process: the name of a signal, or an exit code. */
  | { readonly endedBy: string }

export interface ParserProcess {
  /** Whether it has not ended, as far as is known here. */
  readonly running: boolean
  /** Asks for one file; the next is asked for when that is answered. @throws the signal's reason. */
  parse(request: ParseRequest, signal: AbortSignal): Promise<ParseOutcome>
  /** Ends the process, and waits for its end. */
  end(): Promise<void>
}

/** Starts a process that parses. It ignores what a terminal sends to all processes, and ends with this one. */
export function startParser(timeLimitMs: number): ParserProcess {
  const child = fork(siblingModulePath(import.meta.url, 'parser-process'), [String(PIPE), String(timeLimitMs)], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc', 'pipe'],
  })
  // Whoever waits for an answer is told; nobody else needs to know.
  child.on('error', () => {})
  const timeLimits = new EventEmitter()
  const pipe = (child.stdio as readonly unknown[] as readonly Socket[])[PIPE]!
  // By the number of the request: one that was answered in that moment does not count for the next.
  pipe.on('data', (request) => timeLimits.emit(String(request))).on('error', () => {})
  pipe.unref()
  let requests = 0

  const parser: ParserProcess = {
    get running() {
      return child.pid !== undefined && child.exitCode === null && child.signalCode === null
    },
    async parse(request, signal) {
      const answered = new AbortController()
      const options = { signal: AbortSignal.any([signal, answered.signal]) }
      const number = String(++requests)
      child.send(request, () => {})
      try {
        return await Promise.race([
          once(child, 'message', options).then(([reply]) => reply as ParseReply),
          once(timeLimits, number, options).then(() => ({ timeLimit: true }) as const),
          once(child, 'exit', options).then(([code, by]) => ({ endedBy: by ?? `exit code ${code}` })),
        ])
      } catch (error) {
        signal.throwIfAborted()
        throw error
      } finally {
        answered.abort()
      }
    },
    async end() {
      if (!parser.running) return
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
  }
  return parser
}
