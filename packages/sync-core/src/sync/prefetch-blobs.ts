import type { Origin } from '../git/origin.ts'

/** The first fetch is small so that something is stored soon, later ones are large because each is a connection. */
const FIRST_BLOBS = 1_000
const MAX_BLOBS = 16_000

/** Items in their order, the blobs of so many at a time made readable before they are handed on. */
export async function* prefetchBlobs<T extends { readonly blobOid: string }>(
  items: Iterable<T>,
  fetchBlobs: Origin['fetchBlobs'],
  signal: AbortSignal,
): AsyncGenerator<T> {
  if (fetchBlobs === null) return yield* items
  let waiting: T[] = []
  let size = FIRST_BLOBS
  const fetchWaiting = async function* () {
    const oids = waiting.map(({ blobOid }) => blobOid)
    await fetchBlobs(oids, signal)
    yield* waiting
    waiting = []
    size = Math.min(size * 2, MAX_BLOBS)
  }
  for (const item of items) if (waiting.push(item) === size) yield* fetchWaiting()
  if (waiting.length > 0) yield* fetchWaiting()
}
