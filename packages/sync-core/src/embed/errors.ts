import { APICallError } from 'ai'
import { redact } from '../redact.ts'
import { SyncError, type SyncErrorCode } from '../sync-error.ts'
import type { Embedding } from './embedding.ts'

/** Where the texts themselves may be what a server does not like: too long, or a fault that one of them sets off. */
const REJECTING_STATUSES = new Set([400, 413, 422, 500])

/** The error of a request for embeddings, with what to do about it. */
export function requestError(error: unknown, embedding: Embedding): SyncError {
  const { url, model, key } = embedding
  const server = new URL(url).host
  const fault = (code: SyncErrorCode, what: string, hint: string) =>
    new SyncError(code, redactKey(`${server} ${what}`, key), hint, error)
  const { name, message } = error as Error
  if (name === 'TimeoutError') {
    return fault('EMBEDDING_FAILED', 'does not answer', 'Give it longer with "timeout", or less with "batchSize".')
  }
  if (!APICallError.isInstance(error)) {
    return fault('EMBEDDING_REJECTED', `has answered what is no set of vectors: ${message}`, HINT)
  }
  const { statusCode } = error
  if (statusCode === undefined) {
    return fault('EMBEDDING_FAILED', `cannot be reached: ${message}`, `Is the server at ${server} running?`)
  }
  if (statusCode === 401 || statusCode === 403) {
    return fault(
      'EMBEDDING_REFUSED',
      `refuses ${key ? 'the key' : 'requests without a key'} (${statusCode}): ${message}`,
      'Set "key" under "embedding" in tidemark.yaml to a variable, for example ${OPENAI_API_KEY}.',
    )
  }
  if (statusCode === 404) {
    return fault(
      'EMBEDDING_REFUSED',
      `knows no model "${model}", or no /embeddings there (404): ${message}`,
      'Check "url" and "model"; with Ollama, pull the model first.',
    )
  }
  // An answer that is no JSON, or holds no vectors, came with a 200.
  const rejected = REJECTING_STATUSES.has(statusCode) || statusCode < 300
  return fault(
    rejected ? 'EMBEDDING_REJECTED' : 'EMBEDDING_FAILED',
    `has answered with ${statusCode}: ${message}`,
    HINT,
  )
}

const HINT = 'See the log of that server.'

function redactKey(text: string, key: string | undefined): string {
  const clean = redact(text)
  return key ? clean.replaceAll(key, '***') : clean
}
