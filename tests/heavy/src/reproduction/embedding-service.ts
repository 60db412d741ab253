import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

export type EmbeddingService = Awaited<ReturnType<typeof startEmbeddingService>>

/**
 * Stands for the service of a provider, which takes its time for a request and has a limit for each customer. Each
 * policy is a customer, by the first part of the path.
 *
 * @param slots how many requests of a customer are answered at a time; the others wait.
 */
export async function startEmbeddingService(latencyMs: number, slots: number) {
  const customers = new Map<string, { freeAt: number[]; texts: number }>()
  const customer = (name: string) => {
    const known = customers.get(name) ?? { freeAt: Array<number>(slots).fill(0), texts: 0 }
    customers.set(name, known)
    return known
  }
  const http = createServer(async (request, response) => {
    const { input } = (await json(request)) as { input: string[] }
    const own = customer(request.url!.split('/')[1]!)
    const first = own.freeAt.indexOf(Math.min(...own.freeAt))
    own.freeAt[first] = Math.max(performance.now(), own.freeAt[first]!) + latencyMs
    await sleep(own.freeAt[first] - performance.now())
    own.texts += input.length
    response.end(JSON.stringify({ data: input.map((text) => ({ embedding: [text.length, 0, 0, 0] })) }))
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  return {
    latencyMs,
    urlOf: (name: string) => `http://127.0.0.1:${(http.address() as AddressInfo).port}/${name}/embeddings`,
    textsOf: (name: string) => customer(name).texts,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections()
      http.close()
      await once(http, 'close')
    },
  }
}

/** Has the chunks of one page embedded, in one request. */
export async function embed(url: string, chunks: readonly string[]): Promise<number[][]> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify({ input: chunks }) })
  const { data } = (await response.json()) as { data: { embedding: number[] }[] }
  return data.map(({ embedding }) => embedding)
}
