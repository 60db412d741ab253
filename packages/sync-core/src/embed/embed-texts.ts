import { setTimeout as sleep } from 'node:timers/promises'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { APICallError, embedMany } from 'ai'
import pRetry from 'p-retry'
import { redact } from '../redact.ts'
import { SyncError, type SyncErrorCode } from '../sync-error.ts'
import type { Embedding } from './embedding.ts'

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
  /** Null where that is not known yet. */
  readonly dimensions: number | null
  readonly signal?: AbortSignal | undefined
  /** True by default; false where a person waits. */
  readonly retry?: boolean | undefined
  /** Called when the server asks for time, so that the wait does not count as a stall. */
  readonly onWait?: (() => void) | undefined
  /** Called with what is wrong with the server before it is asked again. */
  readonly onFault?: ((error: SyncError) => void) | undefined
}

/**
 * Has texts embedded in one request, and retries what passes by itself: 429, 5xx, a cut connection, no answer. Keeps to
 * `Retry-After` as long as the signal lets it. Throws `EMBEDDING_REJECTED` (perhaps one text's fault) and others.
 */
export async function embedTexts(embedding: Embedding, texts: readonly string[], options: EmbedTextsOptions) {
  const { dimensions, signal, retry = true, onWait, onFault } = options
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
  const onRetry = (error: Error) => onFault?.(requestError(error, embedding))
  const request = retry ? retryTransient(once, { signal, onWait, onRetry }) : once()
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
  { signal, onWait, onRetry }: Partial<EmbedTextsOptions> & { readonly onRetry: (error: Error) => void },
): Promise<T> {
  return pRetry(once, {
    retries: MAX_RETRIES,
    minTimeout: FIRST_RETRY_MS,
    randomize: true,
    ...(signal && { signal }),
    shouldRetry: ({ error }) => error.name === 'TimeoutError' || (APICallError.isInstance(error) && error.isRetryable),
    // A server that says when to come back has not failed.
    shouldConsumeRetry: ({ error }) => retryAfterMs(error) === null,
    async onFailedAttempt({ error }) {
      const waitMs = retryAfterMs(error)
      if (waitMs === null) return onRetry(error)
      onWait?.()
      await sleep(waitMs * (1 + Math.random() / 4), undefined, { signal })
    },
  })
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
      const message = `the model "${model}" makes vectors of ${vector.length} dimensions where ${expected} are expected`
      const hint = 'Set "dimensions" to what the model makes, or embed under another model name to start a new set.'
      throw new SyncError('EMBEDDING_DIMENSIONS', message, hint)
    }
    if (!vector.every(Number.isFinite)) {
      const message = `the model "${model}" has answered with a vector that holds no numbers`
      throw new SyncError('EMBEDDING_REJECTED', message, 'It is a fault of the server or of the model.')
    }
  }
}

/** Where the texts themselves may be what a server does not like: too long, or a fault that one of them sets off. */
const REJECTING_STATUSES = new Set([400, 413, 422, 500])
const HINT = 'See the log of that server.'

/** The error of a request for embeddings, with what to do about it. */
function requestError(error: unknown, embedding: Embedding): SyncError {
  const { url, model, key } = embedding
  const server = new URL(url).host
  const fault = (code: SyncErrorCode, what: string, hint: string) => {
    const text = redact(`${server} ${what}`)
    // Without its cause: that holds what the server has said, and some say what they do not take.
    return new SyncError(code, key ? text.replaceAll(key, '***') : text, hint)
  }
  const { name, message } = error as Error
  if (name === 'TimeoutError') {
    return fault('EMBEDDING_FAILED', 'does not answer', 'Give it longer with "timeout", or less with "batchSize".')
  }
  if (!APICallError.isInstance(error)) {
    return fault('EMBEDDING_REJECTED', `has answered what is no set of vectors: ${message}`, HINT)
  }
  const { statusCode } = error
  if (statusCode === undefined) {
    const hint = `Start the server at ${server}, or correct "url" under "embedding" in tidemark.yaml.`
    return fault('EMBEDDING_FAILED', `cannot be reached: ${message}`, hint)
  }
  if (statusCode === 401 || statusCode === 403) {
    const refused = `refuses ${key ? 'the key' : 'requests without a key'} (${statusCode}): ${message}`
    const hint = 'Set "key" under "embedding" in tidemark.yaml to a variable, for example ${OPENAI_API_KEY}.'
    return fault('EMBEDDING_REFUSED', refused, hint)
  }
  if (statusCode === 404) {
    const refused = `knows no model "${model}", or no /embeddings there (404): ${message}`
    return fault('EMBEDDING_REFUSED', refused, 'Check "url" and "model"; with Ollama, pull the model first.')
  }
  // An answer that is no JSON, or holds no vectors, came with a 200.
  const rejected = REJECTING_STATUSES.has(statusCode) || statusCode < 300
  const code = rejected ? 'EMBEDDING_REJECTED' : 'EMBEDDING_FAILED'
  return fault(code, `has answered with ${statusCode}: ${message}`, HINT)
}
