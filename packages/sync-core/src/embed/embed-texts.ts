import { setTimeout as sleep } from 'node:timers/promises'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { APICallError, embedMany } from 'ai'
import pRetry from 'p-retry'
import { SyncError } from '../sync-error.ts'
import type { Embedding } from './embedding.ts'
import { explainRequest } from './explain-request.ts'

/** A server that restarts is back by then; the waits grow from half a second and are spread by chance. */
const RETRIES = 5
const FIRST_WAIT_MS = 500
const REQUEST_MS = 60_000

export interface Embedded {
  /** One for each text, in their order. */
  readonly vectors: readonly (readonly number[])[]
  /** As the server has counted them; 0 where it does not. */
  readonly tokens: number
}

export interface EmbedTextsOptions {
  /** How long vectors must be; null where that is not known yet. */
  readonly dimensions: number | null
  readonly signal?: AbortSignal | undefined
  /** Whether what passes by itself is waited for; it is by default, and not where a person waits. */
  readonly patient?: boolean | undefined
  /** Told when the server asks for time, so that waiting for it is no standstill. */
  readonly onWait?: (() => void) | undefined
}

/**
 * Has texts embedded in one request, and, where it is patient, tries again what passes by itself: 429, 5xx, a cut
 * connection, no answer. What a server says about when to come back (`Retry-After`) is kept to, for as long as the
 * signal lets it.
 *
 * @throws {SyncError} `EMBEDDING_REJECTED` where it may be for one of the texts, `EMBEDDING_REFUSED`,
 *   `EMBEDDING_FAILED`, `EMBEDDING_DIMENSIONS`; or the signal's reason.
 */
export async function embedTexts(
  embedding: Embedding,
  texts: readonly string[],
  { dimensions, signal, patient = true, onWait }: EmbedTextsOptions,
): Promise<Embedded> {
  const { url, key, model, requestTimeoutMs = REQUEST_MS } = embedding
  const provider = createOpenAICompatible({ name: 'embedding', baseURL: url, ...(key && { apiKey: key }) })
  const once = async (): Promise<Embedded> => {
    const timeout = AbortSignal.timeout(requestTimeoutMs)
    const { embeddings, usage } = await embedMany({
      model: provider.embeddingModel(model),
      values: [...texts],
      maxRetries: 0,
      abortSignal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      ...(embedding.dimensions && { dimensions: embedding.dimensions }),
    })
    return { vectors: embeddings, tokens: usage.tokens || 0 }
  }
  const asking = patient ? untilItPasses(once, { signal, onWait }) : once()
  const answer = await asking.catch((error: unknown) => {
    signal?.throwIfAborted()
    throw explainRequest(error, embedding)
  })
  checkVectors(answer.vectors, dimensions ?? embedding.dimensions ?? null, embedding)
  return answer
}

/** Tries again what passes by itself, a few times, or as often as the server asks for time. */
function untilItPasses<T>(
  once: () => Promise<T>,
  { signal, onWait }: Pick<EmbedTextsOptions, 'signal' | 'onWait'>,
): Promise<T> {
  return pRetry(once, {
    retries: RETRIES,
    minTimeout: FIRST_WAIT_MS,
    randomize: true,
    ...(signal && { signal }),
    shouldRetry: ({ error }) => passes(error),
    // Whoever says when to come back means it: that is no failure to be counted.
    shouldConsumeRetry: ({ error }) => retryAfterMs(error) === null,
    async onFailedAttempt({ error }) {
      const waitMs = retryAfterMs(error)
      if (waitMs === null) return
      onWait?.()
      await sleep(waitMs * (1 + Math.random() / 4), undefined, { signal })
    },
  })
}

function passes(error: Error): boolean {
  if (error.name === 'TimeoutError') return true
  return APICallError.isInstance(error) && error.isRetryable
}

/** What a server asks to wait, in seconds or until a time; null where it asks for nothing. */
function retryAfterMs(error: Error): number | null {
  if (!APICallError.isInstance(error) || !error.isRetryable) return null
  const { 'retry-after': asked, date } = error.responseHeaders ?? {}
  if (asked === undefined) return null
  if (/^\d+$/.test(asked)) return Number(asked) * 1000
  // By the server's own clock, where it says what that is.
  const ms = Date.parse(asked) - (Date.parse(date ?? '') || Date.now())
  return Number.isNaN(ms) ? null : Math.max(0, ms)
}

function checkVectors(vectors: Embedded['vectors'], dimensions: number | null, { model }: Embedding): void {
  const wanted = dimensions ?? vectors[0]?.length ?? 0
  for (const vector of vectors) {
    if (vector.length !== wanted) {
      throw new SyncError(
        'EMBEDDING_DIMENSIONS',
        `the model "${model}" makes vectors of ${vector.length} dimensions where ${wanted} are wanted`,
        'Set "dimensions" to what the model makes, or embed under another model name to start a new set.',
      )
    }
    if (!vector.every(Number.isFinite)) {
      throw new SyncError(
        'EMBEDDING_REJECTED',
        `the model "${model}" has answered with a vector that holds no numbers`,
        'It is a fault of the server or of the model.',
      )
    }
  }
}
