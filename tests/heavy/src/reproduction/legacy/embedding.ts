import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

/** Stands for the embedding service of a provider, of which only the time that it takes matters here. */
export async function startEmbeddingService(latencyMs: number) {
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

const CHUNKS_PER_REQUEST = 20

/** Asks the embedding service, one request after the other. */
export async function embed(url: string, chunks: readonly string[]): Promise<number[][]> {
  const embeddings: number[][] = []
  for (let index = 0; index < chunks.length; index += CHUNKS_PER_REQUEST) {
    const body = JSON.stringify({ input: chunks.slice(index, index + CHUNKS_PER_REQUEST) })
    const response = await fetch(url, { method: 'POST', body })
    const { data } = (await response.json()) as { data: { embedding: number[] }[] }
    embeddings.push(...data.map(({ embedding }) => embedding))
  }
  return embeddings
}
