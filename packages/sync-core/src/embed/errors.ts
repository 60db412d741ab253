import { APICallError } from 'ai'
import { redact } from '../redact.ts'
import { SyncError, type SyncErrorCode } from '../sync-error.ts'
import type { Embedding } from './embedding.ts'

/** Where the texts themselves may be what a server does not like: too long, or a fault that one of them sets off. */
const REJECTING_STATUSES = new Set([400, 413, 422, 500])
const HINT = 'See the log of that server.'

/** The error of a request for embeddings, with what to do about it. */
export function requestError(error: unknown, embedding: Embedding): SyncError {
  const { url, model, key } = embedding
  const server = new URL(url).host
  const fault = (code: SyncErrorCode, what: string, hint: string) => {
    const text = redact(`${server} ${what}`)
    return new SyncError(code, key ? text.replaceAll(key, '***') : text, hint, error)
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
    return fault('EMBEDDING_FAILED', `cannot be reached: ${message}`, `Is the server at ${server} running?`)
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
