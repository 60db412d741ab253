import type { Origin } from '../git/origin.ts'

/** The first fetch is small so that something is stored soon, later ones are large because each is a connection. */
const FIRST_BLOBS = 1_000
const MOST_BLOBS = 16_000

/** Items in their order, the blobs of so many at a time made readable before they are handed on. */
export async function* brought<T extends { readonly blobOid: string }>(
  items: Iterable<T>,
  bring: Origin['bring'],
  signal: AbortSignal,
): AsyncGenerator<T> {
  if (bring === null) return yield* items
  let waiting: T[] = []
  let most = FIRST_BLOBS
  const hand = async function* () {
    await bring(
      waiting.map(({ blobOid }) => blobOid),
      signal,
    )
    yield* waiting
    waiting = []
    most = Math.min(most * 2, MOST_BLOBS)
  }
  for (const item of items) if (waiting.push(item) === most) yield* hand()
  if (waiting.length > 0) yield* hand()
}
