import { isAscii } from 'node:buffer'
import { EventEmitter, once } from 'node:events'
import { forkSibling } from '../fork-sibling.ts'
import { SyncError } from '../sync-error.ts'
import { isMdx } from './markdown.ts'
import { type Page, parsePage } from './page.ts'
import type { ParseReply, ParseRequest } from './parser-process.ts'
import { QuarantineError } from './quarantine-error.ts'

/** Parsed in this process: any text of the first size takes some hundredths of a second, and most of the second do. */
const MAX_CHEAP_BYTES = 8 * 1024
const MAX_IN_PROCESS_BYTES = 32 * 1024
/** Quotes in quotes, entities and what MDX cannot read in braces cost the square of their number, 1.4 s for 64 KB of ">". */
const MAX_EXPENSIVE_BYTES = 500
const EXPENSIVE = new Set(Buffer.from('>&'))
const EXPENSIVE_IN_MDX = new Set(Buffer.from('>&{'))
/** Of processor time: ten times as long as 4 MB of tables take. Past it, a file was made to take long. */
const TIME_LIMIT_MS = 60_000
/** How often one file is begun where something else ends the parser, before the run gives up. */
const MAX_ATTEMPTS = 2

/** What a process does to itself, by a fault that the text has found in it; the system ends one by SIGKILL. */
const CRASHES = new Set(['SIGABRT', 'SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGTRAP', 'SIGFPE'])

type ParseOutcome = ParseReply | { readonly timeLimit: true } | { readonly endedBy: string }

/**
 * Parses most files here, and large or suspicious ones in a process, started for the first: Markdown can cost the
 * square of its size, and only a process can be ended midway; but it takes 0.1 s to start, and a millisecond a file.
 */
export function openParser(signal: AbortSignal, timeLimitMs = TIME_LIMIT_MS) {
  let child: ReturnType<typeof startParser> | undefined
  const end = async () => {
    await child?.end()
    child = undefined
  }
  return {
    /**
     * @throws {QuarantineError} where the file is at fault, the same with every run.
     * @throws {SyncError} `PARSER_KILLED` where something else has ended the parser twice; or the signal's reason.
     */
    async parse(path: string, bytes: Buffer): Promise<Page> {
      if (isCheap(path, bytes)) return parsePage(path, bytes)
      for (let attempt = 1; ; attempt++) {
        // It may have been killed since the last file.
        if (!child?.isRunning()) child = startParser(timeLimitMs)
        const outcome = await child.parse({ path, bytes }, signal).catch(async (error) => {
          await end()
          throw error
        })
        if ('page' in outcome) return outcome.page
        if ('quarantine' in outcome) throw new QuarantineError(outcome.quarantine, outcome.message)
        if ('fault' in outcome) throw new Error(`the parser failed on ${path}: ${outcome.fault}`)
        if ('timeLimit' in outcome) {
          await end()
          throw new QuarantineError('too_complex', `the text takes longer than ${timeLimitMs / 1_000} s to parse`)
        }
        if (attempt < MAX_ATTEMPTS) continue
        if (!CRASHES.has(outcome.endedBy)) throw parserKilled(path, outcome.endedBy)
        throw new QuarantineError('parser_crashed', `the text crashes the parser (${outcome.endedBy}), twice`)
      }
    },
    [Symbol.asyncDispose]: end,
  }
}

function isCheap(path: string, bytes: Buffer): boolean {
  if (mayCrash(bytes)) return false
  if (bytes.length <= MAX_CHEAP_BYTES && !isMdx(path)) return true
  if (bytes.length > MAX_IN_PROCESS_BYTES) return false
  const expensive = isMdx(path) ? EXPENSIVE_IN_MDX : EXPENSIVE
  return bytes.reduce((count, byte) => count + Number(expensive.has(byte)), 0) <= MAX_EXPENSIVE_BYTES
}

/**
 * Satteri aborts its process over some addresses without brackets beside wiki links, where they hold more than ASCII:
 * "```\n```\n[[]|]]http://xß".
 */
const mayCrash = (bytes: Buffer) =>
  bytes.includes('[[') && (bytes.includes('://') || bytes.includes('www.') || bytes.includes('@')) && !isAscii(bytes)

/** Starts a process that parses. It ignores what a terminal sends to all processes, and ends with this one. */
function startParser(timeLimitMs: number) {
  const { child, pipe } = forkSibling(import.meta.url, 'parser-process', [String(timeLimitMs)])
  // A pending parse() sees the exit.
  child.on('error', () => {})
  const timeLimits = new EventEmitter()
  // By the number of the request: one that was answered in that moment does not count for the next.
  pipe.on('data', (request) => timeLimits.emit(String(request)))
  let requests = 0
  const isRunning = () => child.pid !== undefined && child.exitCode === null && child.signalCode === null
  return {
    isRunning,
    /** Parses one file at a time. @throws the signal's reason. */
    async parse(request: ParseRequest, signal: AbortSignal): Promise<ParseOutcome> {
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
    /** Ends the process, and waits for its end. */
    async end() {
      if (!isRunning()) return
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
  }
}

function parserKilled(path: string, endedBy: string): SyncError {
  const message = `The process that parses Markdown was ended from outside (${endedBy}), twice, at ${path}`
  const hint =
    'Most often the memory has run out: look into the log of the system, and give it more. The next run goes on from here.'
  return new SyncError('PARSER_KILLED', message, hint)
}
