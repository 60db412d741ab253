import { redactAddress } from '../redact.ts'
import { SyncError } from '../sync-error.ts'
import { splitUrl } from '../url-parts.ts'

/** Who embeds texts: any server that speaks OpenAI's protocol, and one of its models. */
export interface Embedding {
  /** What `/embeddings` is below: `https://api.openai.com/v1`, or `http://localhost:11434/v1` for Ollama. */
  readonly url: string
  /** Sent as a bearer token; none by default. */
  readonly key?: string | undefined
  readonly model: string
  /** How long vectors are to be, for models that leave a choice; as long as the model makes them by default. */
  readonly dimensions?: number | undefined
  /** How many texts one request carries; 64 by default. */
  readonly batchSize?: number | undefined
  /** How many requests are under way at a time; 4 by default. */
  readonly concurrency?: number | undefined
  /** For one request, which is tried again then; 60 s by default. */
  readonly requestTimeoutMs?: number | undefined
  /** In whatever currency the estimate should be. */
  readonly pricePerMillionTokens?: number | undefined
}

/** @throws {SyncError} `BAD_EMBEDDING` where nothing could be embedded whatever the server says. */
export function validateEmbedding({ url, key, model }: Embedding): void {
  const { scheme = '', userinfo = null, query, fragment } = splitUrl(url) ?? {}
  if (!/^https?$/.test(scheme) || userinfo !== null || query || fragment || !URL.canParse(url)) {
    const hint =
      'Give what /embeddings is below, for example http://localhost:11434/v1, and what lets you in as the key: no user, password or query.'
    const message = `"${redactAddress(url)}" is not the address of a server that embeds`
    throw new SyncError('BAD_EMBEDDING', message, hint)
  }
  if (key !== undefined && !/^[\x21-\x7E]+$/.test(key)) {
    const hint = 'Give it without blanks, line ends and "Bearer".'
    throw new SyncError('BAD_EMBEDDING', 'the key of the server that embeds has characters that no key has', hint)
  }
  if (model.trim() === '' || model.includes('\0')) {
    throw new SyncError('BAD_EMBEDDING', 'the model that embeds has no name', 'Name one that the server has.')
  }
}
