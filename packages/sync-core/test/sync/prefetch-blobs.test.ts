import { describe, expect, test } from 'vitest'
import { prefetchBlobs } from '../../src/sync/prefetch-blobs.ts'

const { signal } = new AbortController()
const blobs = (count: number) => Array.from({ length: count }, (_, i) => ({ blobOid: `${i}` }))

async function prefetch(count: number) {
  const fetched: string[] = []
  const sizes: number[] = []
  const handedOn: { blobOid: string }[] = []
  const fetchBlobs = async (oids: readonly string[], passed: AbortSignal) => {
    expect(passed).toBe(signal)
    // Something is stored before more is fetched.
    expect(handedOn).toHaveLength(fetched.length)
    fetched.push(...oids)
    sizes.push(oids.length)
  }
  for await (const item of prefetchBlobs(blobs(count), fetchBlobs, signal)) {
    handedOn.push(item)
    if (handedOn.length > fetched.length) throw new Error(`${item.blobOid} is handed on before it is fetched`)
  }
  expect(handedOn).toEqual(blobs(count))
  expect(fetched).toEqual(handedOn.map(({ blobOid }) => blobOid))
  return sizes
}

describe('blobs that are on a server', () => {
  test('are fetched in growing pieces: first few, so that something is stored soon', async () => {
    expect(await prefetch(3_500)).toEqual([1_000, 2_000, 500])
    expect(await prefetch(50_000)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 16_000, 3_000])
  })

  test('are fetched no more where none is left', async () => {
    expect(await prefetch(0)).toEqual([])
    expect(await prefetch(1_000)).toEqual([1_000])
    expect(await prefetch(3)).toEqual([3])
  })
})

test('blobs that are on this machine are handed on as they are', async () => {
  const items = blobs(3)
  expect(await Array.fromAsync(prefetchBlobs(items, null, signal))).toEqual(items)
})
