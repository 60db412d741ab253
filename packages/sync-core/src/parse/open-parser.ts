import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { besides } from '../besides.ts'
import { type Page, parsePage } from './parse-page.ts'
import type { ParseReply, ParseRequest } from './parser-process.ts'
import { Unstorable } from './unstorable.ts'

/** Parsed here: any text of the first size takes some hundredths of a second at most, and most of the second do. */
const ANY_BYTES_HERE = 8 * 1024
const MOST_BYTES_HERE = 32 * 1024

/** What makes the rest: quotes in quotes and entities cost the square of their number, 1.4 s for 64 KB of ">". */
const MOST_COSTLY = 500
const COSTLY = new Set(Buffer.from('>&'))

/** Ten times as long as 4 MB of tables take. Past it, a file was made to take long. */
const MOST_MS = 60_000

export interface Parser extends AsyncDisposable {
  /** @throws {Unstorable}, or the signal's reason. */
  parse(path: string, bytes: Buffer): Promise<Page>
}

/**
 * Parses most files here, and large or suspicious ones in a process of its own, started for the first of them. What
 * Markdown costs grows with the square of its size where someone wants it to, and only a process can be ended in the
 * middle of it; but it takes a tenth of a second to start, and each file a millisecond more.
 */
export function openParser(signal: AbortSignal, mostMs = MOST_MS): Parser {
  let child: ChildProcess | undefined
  const end = async () => {
    const ending = child
    child = undefined
    if (!ending || ending.exitCode !== null || ending.signalCode !== null) return
    ending.kill('SIGKILL')
    await once(ending, 'exit')
  }
  return {
    async parse(path, bytes) {
      if (isCheap(bytes)) return parsePage(path, bytes)
      child ??= fork(besides(import.meta.url, 'parser-process'), { serialization: 'advanced' })
      let reply: ParseReply
      try {
        reply = await replyOf(child, { path, bytes }, signal, mostMs)
      } catch (error) {
        await end()
        signal.throwIfAborted()
        throw error
      }
      if ('page' in reply) return reply.page
      if ('refused' in reply) throw new Unstorable(reply.refused, reply.message)
      throw new Error(`the parser failed on ${path}: ${reply.fault}`)
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

async function replyOf(
  child: ChildProcess,
  request: ParseRequest,
  signal: AbortSignal,
  mostMs: number,
): Promise<ParseReply> {
  const stop = new AbortController()
  const limit = AbortSignal.timeout(mostMs)
  const options = { signal: AbortSignal.any([signal, limit, stop.signal]) }
  const ended = once(child, 'exit', options).then(() => {
    throw new Unstorable('too_complex', 'the Markdown parser breaks on it')
  })
  ended.catch(() => {})
  child.send(request, () => {})
  try {
    const [reply] = (await Promise.race([once(child, 'message', options), ended])) as [ParseReply]
    return reply
  } catch (error) {
    if (limit.aborted && !signal.aborted)
      throw new Unstorable('too_complex', `the text takes longer than ${mostMs / 1000} s to parse`)
    throw error
  } finally {
    stop.abort()
  }
}
