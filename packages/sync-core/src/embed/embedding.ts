import { redact } from '../redact.ts'
import { SyncError } from '../sync-error.ts'

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
export function validateEmbedding({ url, model }: Embedding): void {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    const hint = 'Give what /embeddings is below, for example http://localhost:11434/v1.'
    throw new SyncError('BAD_EMBEDDING', `"${redact(url)}" is not the address of a server that embeds`, hint)
  }
  if (model.trim() === '' || model.includes('\0')) {
    throw new SyncError('BAD_EMBEDDING', 'the model that embeds has no name', 'Name one that the server has.')
  }
}
