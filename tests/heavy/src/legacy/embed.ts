/** How many chunks go into one request. */
const CHUNKS_A_REQUEST = 20

/** Asks the embedding service, one request after the other. */
export async function embed(url: string, chunks: readonly string[]): Promise<number[][]> {
  const embeddings: number[][] = []
  for (let at = 0; at < chunks.length; at += CHUNKS_A_REQUEST) {
    const response = await fetch(url, {
      method: 'POST',
      body: JSON.stringify({ input: chunks.slice(at, at + CHUNKS_A_REQUEST) }),
    })
    const { data } = (await response.json()) as { data: { embedding: number[] }[] }
    embeddings.push(...data.map(({ embedding }) => embedding))
  }
  return embeddings
}
