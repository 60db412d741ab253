import { SyncError } from '../sync-error.ts'
import { type Page, parsePage } from './page.ts'
import { type ParseOutcome, type ParserProcess, startParser } from './parser-child.ts'
import { QuarantineError } from './quarantine-error.ts'

/** Parsed in this process: any text of the first size takes some hundredths of a second, and most of the second do. */
const MAX_CHEAP_BYTES = 8 * 1024
const MAX_IN_PROCESS_BYTES = 32 * 1024

/** Quotes in quotes and entities cost the square of their number, 1.4 s for 64 KB of ">". */
const MAX_EXPENSIVE_BYTES = 500
const EXPENSIVE = new Set(Buffer.from('>&'))

/** Of processor time: ten times as long as 4 MB of tables take. Past it, a file was made to take long. */
const TIME_LIMIT_MS = 60_000

/** How often one file is begun where something else ends the parser, before the run gives up. */
const MAX_ATTEMPTS = 2

export interface Parser extends AsyncDisposable {
  /**
   * @throws {QuarantineError} where the file is at fault, the same with every run.
   * @throws {SyncError} `PARSER_KILLED` where something else has ended the parser twice.
   * @throws the signal's reason.
   */
  parse(path: string, bytes: Buffer): Promise<Page>
}

/**
 * Parses most files here, and large or suspicious ones in a process of its own, started for the first of them. What
 * Markdown costs grows with the square of its size where someone wants it to, and only a process can be ended in the
 * middle of it; but it takes a tenth of a second to start, and each file a millisecond more.
 */
export function openParser(signal: AbortSignal, timeLimitMs = TIME_LIMIT_MS): Parser {
  let child: ParserProcess | undefined
  const end = async () => {
    const ending = child
    child = undefined
    await ending?.end()
  }
  const parseInChild = async (path: string, bytes: Buffer): Promise<ParseOutcome> => {
    // It may have been killed since the last file.
    if (!child?.running) child = startParser(timeLimitMs)
    let outcome: ParseOutcome | undefined
    try {
      outcome = await child.parse({ path, bytes }, signal)
      return outcome
    } finally {
      if (outcome === undefined || 'timeLimit' in outcome) await end()
    }
  }
  return {
    async parse(path, bytes) {
      if (isCheap(bytes)) return parsePage(path, bytes)
      for (let attempt = 1; ; attempt++) {
        const outcome = await parseInChild(path, bytes)
        if ('page' in outcome) return outcome.page
        if ('quarantine' in outcome) throw new QuarantineError(outcome.quarantine, outcome.message)
        if ('fault' in outcome) throw new Error(`the parser failed on ${path}: ${outcome.fault}`)
        if ('timeLimit' in outcome) throw tooComplex(timeLimitMs)
        if (attempt === MAX_ATTEMPTS) throw parserKilled(path, outcome.endedBy)
      }
    },
    [Symbol.asyncDispose]: end,
  }
}

function isCheap(bytes: Buffer): boolean {
  if (bytes.length <= MAX_CHEAP_BYTES) return true
  if (bytes.length > MAX_IN_PROCESS_BYTES) return false
  let expensive = 0
  for (const byte of bytes) if (EXPENSIVE.has(byte)) expensive++
  return expensive <= MAX_EXPENSIVE_BYTES
}

function tooComplex(timeLimitMs: number): QuarantineError {
  return new QuarantineError('too_complex', `the text takes longer than ${timeLimitMs / 1_000} s to parse`)
}

function parserKilled(path: string, endedBy: string): SyncError {
  return new SyncError(
    'PARSER_KILLED',
    `The process that parses Markdown was ended from outside (${endedBy}), twice, at ${path}`,
    'Most often the memory has run out: look into the log of the system, and give it more. The next run goes on from here.',
  )
}
