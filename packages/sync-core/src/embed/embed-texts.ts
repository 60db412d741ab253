import { setTimeout as sleep } from 'node:timers/promises'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { APICallError, embedMany } from 'ai'
import pRetry from 'p-retry'
import { SyncError } from '../sync-error.ts'
import type { Embedding } from './embedding.ts'
import { requestError } from './errors.ts'

/** A server that restarts is back by then; the waits grow from half a second and are spread by chance. */
const MAX_RETRIES = 5
const FIRST_RETRY_MS = 500
const REQUEST_TIMEOUT_MS = 60_000

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
  /** Whether passing faults are retried; they are by default, and not where a person waits. */
  readonly retry?: boolean | undefined
  /** Told when the server asks for time, so that waiting for it is no standstill. */
  readonly onWait?: (() => void) | undefined
}

/**
 * Has texts embedded in one request, and retries what passes by itself: 429, 5xx, a cut
 * connection, no answer. What a server says about when to come back (`Retry-After`) is kept to, for as long as the
 * signal lets it.
 *
 * @throws {SyncError} `EMBEDDING_REJECTED` where it may be for one of the texts, `EMBEDDING_REFUSED`,
 *   `EMBEDDING_FAILED`, `EMBEDDING_DIMENSIONS`; or the signal's reason.
 */
export async function embedTexts(
  embedding: Embedding,
  texts: readonly string[],
  { dimensions, signal, retry = true, onWait }: EmbedTextsOptions,
): Promise<Embedded> {
  const { url, key, model, requestTimeoutMs = REQUEST_TIMEOUT_MS } = embedding
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
  const request = retry ? retryTransient(once, { signal, onWait }) : once()
  const answer = await request.catch((error: unknown) => {
    signal?.throwIfAborted()
    throw requestError(error, embedding)
  })
  validateVectors(answer.vectors, dimensions ?? embedding.dimensions ?? null, embedding)
  return answer
}

/** Tries again what passes by itself, a few times, or as often as the server asks for time. */
function retryTransient<T>(
  once: () => Promise<T>,
  { signal, onWait }: Pick<EmbedTextsOptions, 'signal' | 'onWait'>,
): Promise<T> {
  return pRetry(once, {
    retries: MAX_RETRIES,
    minTimeout: FIRST_RETRY_MS,
    randomize: true,
    ...(signal && { signal }),
    shouldRetry: ({ error }) => isTransient(error),
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

function isTransient(error: Error): boolean {
  if (error.name === 'TimeoutError') return true
  return APICallError.isInstance(error) && error.isRetryable
}

/** What a server asks to wait, in seconds or until a time; null where it asks for nothing. */
function retryAfterMs(error: Error): number | null {
  if (!APICallError.isInstance(error) || !error.isRetryable) return null
  const { 'retry-after': value, date } = error.responseHeaders ?? {}
  if (value === undefined) return null
  if (/^\d+$/.test(value)) return Number(value) * 1000
  // By the server's own clock, where it says what that is.
  const ms = Date.parse(value) - (Date.parse(date ?? '') || Date.now())
  return Number.isNaN(ms) ? null : Math.max(0, ms)
}

function validateVectors(vectors: Embedded['vectors'], dimensions: number | null, { model }: Embedding): void {
  const expected = dimensions ?? vectors[0]?.length ?? 0
  for (const vector of vectors) {
    if (vector.length !== expected) {
      throw new SyncError(
        'EMBEDDING_DIMENSIONS',
        `the model "${model}" makes vectors of ${vector.length} dimensions where ${expected} are expected`,
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
