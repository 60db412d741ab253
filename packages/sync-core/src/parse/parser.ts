import { isAscii } from 'node:buffer'
import { EventEmitter, once } from 'node:events'
import { forkSibling } from '../fork-sibling.ts'
import { SyncError } from '../sync-error.ts'
import { isMdx } from './markdown.ts'
import { type Page, parsePage } from './page.ts'
import type { ExceededLimit, ParseLimits, ParseReply, ParseRequest } from './parser-process.ts'
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
/** Half as much again as 4 MB of a list take, which take more than other texts that were not made to. */
const MEMORY_LIMIT_BYTES = 2 * 1024 ** 3
/** How often one file is begun where something else ends the parser, before the run gives up. */
const MAX_ATTEMPTS = 2

/** What a process does to itself, by a fault that the text has found in it; the system ends one by SIGKILL. */
const CRASHES = new Set(['SIGABRT', 'SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGTRAP', 'SIGFPE'])

/** What becomes of a file. */
export type Parsed = Page | QuarantineError

export type Parser = ReturnType<typeof openParser>

type ParseOutcome = ParseReply | { readonly exceeded: ExceededLimit } | { readonly endedBy: string }

/**
 * Parses most files here, and large or suspicious ones in a process, started for the first: Markdown can cost the
 * square of its size, and only a process can be ended midway; but it takes 0.1 s to start, and a millisecond a file.
 */
export function openParser(signal: AbortSignal, limits: Partial<ParseLimits> = {}) {
  const { timeLimitMs = TIME_LIMIT_MS, memoryLimitBytes = MEMORY_LIMIT_BYTES } = limits
  const closed = new AbortController()
  const stopped = AbortSignal.any([signal, closed.signal])
  let child: ReturnType<typeof startParser> | undefined
  const end = async () => {
    await child?.end()
    child = undefined
  }
  const parseInProcess = async (path: string, bytes: Buffer): Promise<Parsed> => {
    for (let attempt = 1; ; attempt++) {
      stopped.throwIfAborted()
      // It may have been killed since the last file.
      if (!child?.isRunning()) child = startParser({ timeLimitMs, memoryLimitBytes })
      const outcome = await child.parse({ path, bytes }, stopped).catch(async (error) => {
        await end()
        throw error
      })
      if ('page' in outcome) return outcome.page
      if ('quarantine' in outcome) return new QuarantineError(outcome.quarantine, outcome.message)
      if ('fault' in outcome) throw new Error(`the parser failed on ${path}: ${outcome.fault}`)
      if ('exceeded' in outcome) {
        await end()
        if (outcome.exceeded === 'time')
          return new QuarantineError('too_complex', `the text takes longer than ${timeLimitMs / 1_000} s to parse`)
        // Some of the memory may be of files before it, which a new process has not parsed.
        if (attempt < MAX_ATTEMPTS) continue
        const megabytes = Math.round(memoryLimitBytes / 1024 ** 2)
        return new QuarantineError('too_complex', `the text takes more than ${megabytes} MB of memory to parse`)
      }
      if (attempt < MAX_ATTEMPTS) continue
      if (!CRASHES.has(outcome.endedBy)) throw parserKilled(path, outcome.endedBy)
      return new QuarantineError('parser_crashed', `the text crashes the parser (${outcome.endedBy}), twice`)
    }
  }
  // One at a time, so that a file which ends the process is known by it.
  let last: Promise<unknown> = Promise.resolve()
  return {
    /**
     * A page at once where it is parsed here; a QuarantineError where the file is at fault, the same with every run. May
     * be called while others are being parsed.
     *
     * @throws {SyncError} `PARSER_KILLED` where something else has ended the parser twice; or the signal's reason.
     */
    parse(path: string, bytes: Buffer): Parsed | Promise<Parsed> {
      if (isCheap(path, bytes)) return parseHere(path, bytes)
      const page = last.then(() => parseInProcess(path, bytes))
      last = page.catch(() => {})
      return page
    },
    async [Symbol.asyncDispose]() {
      closed.abort(new Error('the parser is closed'))
      await last
      await end()
    },
  }
}

function parseHere(path: string, bytes: Buffer): Parsed {
  try {
    return parsePage(path, bytes)
  } catch (error) {
    if (error instanceof QuarantineError) return error
    throw error
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
 * Satteri aborts its process over some addresses without brackets behind a wiki link without a text, where they hold
 * more than ASCII: "[[a]|]]http://xß".
 */
const mayCrash = (bytes: Buffer) =>
  !isAscii(bytes) &&
  bytes.includes(UNNAMED_WIKI_LINK) &&
  (bytes.includes('://') || bytes.includes('www.') || bytes.includes('@'))

/** Bytes are found sooner than text. */
const UNNAMED_WIKI_LINK = Buffer.from('|]]')

/** Starts a process that parses. It ignores what a terminal sends to all processes, and ends with this one. */
function startParser(limits: ParseLimits) {
  const { child, pipe } = forkSibling(import.meta.url, 'parser-process', [JSON.stringify(limits)])
  // A pending parse() sees the exit.
  child.on('error', () => {})
  const exceeded = new EventEmitter()
  // By the number of the request: one that was answered in that moment does not count for the next.
  pipe.on('data', (data) => {
    const [limit, request] = String(data).split(':')
    exceeded.emit(request!, limit)
  })
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
          once(exceeded, number, options).then(([limit]) => ({ exceeded: limit as ExceededLimit })),
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
