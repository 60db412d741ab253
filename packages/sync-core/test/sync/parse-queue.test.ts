import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Parser } from '../../src/parse/parser.ts'
import { createParseQueue } from '../../src/sync/parse-queue.ts'

/** Stands for a parser: a text that begins with "slow" is parsed in a process, which "slow, bad" ends. */
const parser = {
  parse(path: string, bytes: Buffer) {
    const text = bytes.toString()
    if (text === 'slow, bad') return Promise.reject(new Error('the parser was killed'))
    return text.startsWith('slow') ? new Promise(() => {}) : `page of ${path}`
  },
} as unknown as Parser

let queue: ReturnType<typeof createParseQueue>
beforeEach(() => {
  queue = createParseQueue(parser)
})

const push = (path: string, text: string) => {
  const content = Buffer.from(text)
  queue.push({ id: null, path, blobOid: 'b', oldBlobOid: null }, { content, sizeBytes: content.length })
}
const pathOf = (file: ReturnType<typeof queue.shift>) => file?.item.path

describe('files that are parsed', () => {
  test('are handed on at once, in their order', () => {
    expect(queue.shift()).toBeUndefined()
    push('a', 'a')
    push('b', 'b')
    expect(queue.shift()).toMatchObject({ item: { path: 'a' }, page: 'page of a', blob: { sizeBytes: 1 } })
    expect(pathOf(queue.shift())).toBe('b')
    expect(queue.shift()).toBeUndefined()
  })

  test('wait behind one that a process parses, until 32 do', () => {
    push('slow', 'slow')
    for (let i = 1; i < 32; i++) push(`${i}`, '')
    expect(queue.shift()).toBeUndefined()
    push('32', '')
    expect(pathOf(queue.shift())).toBe('slow')
    expect(pathOf(queue.shift())).toBe('1')
  })

  test('wait behind one that a process parses, until they hold a megabyte', () => {
    const kilobyte = 'slow'.padEnd(1024)
    const waiting = () => {
      push('slow', kilobyte)
      push('long', 'x'.repeat(1023 * 1024))
      expect(queue.shift()).toBeUndefined()
      push('more', 'x')
      return [pathOf(queue.shift()), pathOf(queue.shift()), pathOf(queue.shift())]
    }
    expect(waiting()).toEqual(['slow', 'long', 'more'])
    // Those that have been handed on count no more.
    expect(waiting()).toEqual(['slow', 'long', 'more'])
  })

  test('are handed on without waiting when no more will come', () => {
    push('slow', 'slow')
    push('b', 'b')
    expect(queue.rest().map(pathOf)).toEqual(['slow', 'b'])
    expect(queue.rest()).toEqual([])
  })
})

test('a file that was too large to be read is set aside, and holds no memory', () => {
  push('slow', 'slow'.padEnd(1024))
  queue.push({ id: null, path: 'large', blobOid: 'b', oldBlobOid: null }, { content: null, sizeBytes: 5 * 1024 ** 2 })
  push('long', 'x'.repeat(1023 * 1024))
  expect(queue.shift()).toBeUndefined()
  push('more', 'x')
  expect(pathOf(queue.shift())).toBe('slow')
  expect(queue.shift()).toMatchObject({ item: { path: 'large' }, page: { code: 'too_large' } })
})

describe('a failure of the parser', () => {
  const unhandled: unknown[] = []
  const onUnhandled = (error: unknown) => unhandled.push(error)
  beforeEach(() => void process.on('unhandledRejection', onUnhandled))
  afterEach(() => void process.off('unhandledRejection', onUnhandled))

  test('is thrown where its file is due, and nowhere before', async () => {
    push('slow', 'slow')
    push('bad', 'slow, bad')
    await setImmediate()
    expect(unhandled).toEqual([])
    await expect(queue.rest()[1]!.page).rejects.toThrow('the parser was killed')
  })
})
