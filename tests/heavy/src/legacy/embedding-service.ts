import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

export interface EmbeddingService {
  readonly url: string
  [Symbol.asyncDispose](): Promise<void>
}

/** Stands for the embedding service of a provider, of which only the time that it takes matters here. */
export async function startEmbeddingService(latencyMs: number): Promise<EmbeddingService> {
  const http = createServer(async (request, response) => {
    const { input } = (await json(request)) as { input: string[] }
    await sleep(latencyMs)
    const data = input.map((text) => ({ embedding: [text.length, 0, 0, 0] }))
    response.end(JSON.stringify({ data }))
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/embeddings`,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections()
      http.close()
      await once(http, 'close')
    },
  }
}
