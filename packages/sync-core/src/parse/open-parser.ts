import { SyncError } from '../sync-error.ts'
import { type Page, parsePage } from './parse-page.ts'
import { type ParseOutcome, type ParserProcess, startParser } from './start-parser.ts'
import { Unstorable } from './unstorable.ts'

/** Parsed here: any text of the first size takes some hundredths of a second at most, and most of the second do. */
const ANY_BYTES_HERE = 8 * 1024
const MOST_BYTES_HERE = 32 * 1024

/** What makes the rest: quotes in quotes and entities cost the square of their number, 1.4 s for 64 KB of ">". */
const MOST_COSTLY = 500
const COSTLY = new Set(Buffer.from('>&'))

/** Of processor time: ten times as long as 4 MB of tables take. Past it, a file was made to take long. */
const TIME_LIMIT_MS = 60_000

/** How often one file is begun where something else ends the parser, before the run gives up. */
const MAX_ATTEMPTS = 2

export interface Parser extends AsyncDisposable {
  /**
   * @throws {Unstorable} where the file is to be set aside: its own fault, and the same with every run.
   * @throws {SyncError} `PARSER_KILLED` where something else has ended the parser twice: not the file's fault.
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
        if ('refused' in outcome) throw new Unstorable(outcome.refused, outcome.message)
        if ('fault' in outcome) throw new Error(`the parser failed on ${path}: ${outcome.fault}`)
        if ('timeLimit' in outcome) throw tooComplex(timeLimitMs)
        if (attempt === MAX_ATTEMPTS) throw parserKilled(path, outcome.endedBy)
      }
    },
    [Symbol.asyncDispose]: end,
  }
}

function isCheap(bytes: Buffer): boolean {
  if (bytes.length <= ANY_BYTES_HERE) return true
  if (bytes.length > MOST_BYTES_HERE) return false
  let costly = 0
  for (const byte of bytes) if (COSTLY.has(byte)) costly++
  return costly <= MOST_COSTLY
}

function tooComplex(timeLimitMs: number): Unstorable {
  return new Unstorable('too_complex', `the text takes longer than ${timeLimitMs / 1_000} s to parse`)
}

function parserKilled(path: string, endedBy: string): SyncError {
  return new SyncError(
    'PARSER_KILLED',
    `The process that parses Markdown was ended from outside (${endedBy}), twice, at ${path}`,
    'Most often the memory has run out: look into the log of the system, and give it more. The next run goes on from here.',
  )
}
