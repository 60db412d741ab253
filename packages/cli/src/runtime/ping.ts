import { randomUUID } from 'node:crypto'
import pRetry, { AbortError } from 'p-retry'

/** What telling a monitor of the end may take of a run's time, all in all. */
const END_TIMEOUT_MS = 5_000
/** What a start that was not heard yet may take of that. */
const LATE_START_TIMEOUT_MS = 1_500
/** After how long a request without an answer is sent again: a start has the time of the run. */
const REQUEST_TIMEOUT_MS = { start: 10_000, end: 1_500 }
const RETRIES = 5
const FIRST_RETRY_MS = 200
/** What a healthchecks.io of one's own stores unless it is told otherwise; theirs stores ten times as much. */
const MAX_BODY_BYTES = 10_000

/** A run that a monitor is told of. */
export interface Ping {
  /** Says how it has ended. @returns what has kept that from the monitor, without its address; null where nothing has */
  end(verdict: 'success' | 'fail', summary: string): Promise<string | null>
}

/**
 * Tells a monitor that a run starts and, later, how it has ended: `<url>/start`, then `<url>` or `<url>/fail`, with an id
 * of the run, which tells those that overlap apart. Nothing here throws. The address is a secret: who has it can say that
 * all is well.
 */
export function startPing(url: string): Ping {
  const runId = randomUUID()
  const start = new AbortController()
  const starting = send(urlFor(url, '/start', runId), '', {
    signal: start.signal,
    requestTimeoutMs: REQUEST_TIMEOUT_MS.start,
  })
  return {
    async end(verdict, summary) {
      const signal = AbortSignal.timeout(END_TIMEOUT_MS)
      // Heard after the end, it would be that of a run that never ends.
      setTimeout(() => start.abort(), LATE_START_TIMEOUT_MS).unref()
      const startFault = await starting
      const endUrl = urlFor(url, verdict === 'fail' ? '/fail' : '', runId)
      const endFault = await send(endUrl, summary, { signal, requestTimeoutMs: REQUEST_TIMEOUT_MS.end })
      return endFault ?? startFault
    },
  }
}

function urlFor(url: string, path: string, runId: string): URL {
  const result = new URL(url)
  if (path !== '') result.pathname = result.pathname.replace(/\/*$/, path)
  result.searchParams.set('rid', runId)
  return result
}

interface SendOptions {
  readonly signal: AbortSignal
  readonly requestTimeoutMs: number
}

/** @returns what has kept it from the monitor, without its address; null where nothing has. */
async function send(url: URL, text: string, { signal, requestTimeoutMs }: SendOptions): Promise<string | null> {
  const once = () => post(url, text, AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]))
  try {
    await pRetry(once, { retries: RETRIES, minTimeout: FIRST_RETRY_MS, factor: 1.5, signal })
    return null
  } catch (error) {
    const { message, cause } = error as Error & { cause?: { code?: string } }
    const late = signal.aborted || (error as Error).name === 'TimeoutError'
    return `${url.host} ${late ? 'did not answer in time' : cause?.code ? `cannot be reached (${cause.code})` : message}`
  }
}

async function post(url: URL, text: string, signal: AbortSignal): Promise<void> {
  const { username, password } = url
  const address = new URL(url)
  // A request takes no credentials in its address.
  address.username = address.password = ''
  const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')
  const response = await fetch(address, {
    method: 'POST',
    body: cut(text),
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      ...(username + password !== '' && { authorization: `Basic ${credentials}` }),
    },
    signal,
  })
  await response.body?.cancel()
  if (response.ok) return
  const refusal = new Error(`answered ${response.status}`)
  // Anything else is refused again.
  throw response.status >= 500 || response.status === 429 ? refusal : new AbortError(refusal)
}

/** As much of the beginning of a text as a monitor stores, in whole characters: what is no UTF-8 is not stored at all. */
function cut(text: string): string {
  const bytes = new Uint8Array(MAX_BODY_BYTES)
  const { read } = new TextEncoder().encodeInto(text, bytes)
  return text.slice(0, read)
}
