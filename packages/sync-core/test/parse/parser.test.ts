import { descendants } from '@tidemark/test-engines/processes'
import { describe, expect, test } from 'vitest'
import { parsePage } from '../../src/parse/page.ts'
import { openParser } from '../../src/parse/parser.ts'

const never = new AbortController().signal
/** Takes minutes: what it costs grows with the square of its length. */
const ENDLESS = Buffer.from('>'.repeat(1_000_000))

describe('a parser', () => {
  test('makes the same page of a file whatever its size, and the same of one that cannot be stored', async () => {
    await using parser = openParser(never)
    for (const times of [1, 1_000]) {
      const bytes = Buffer.from(`---\ntitle: T\n---\n${'# H\n\n[a](b.md) 日本\n\n'.repeat(times)}`)
      expect(await parser.parse('a.md', bytes)).toEqual(parsePage('a.md', bytes))
      const bad = Buffer.concat([bytes, Buffer.from([0])])
      expect(await parser.parse('a.md', bad)).toMatchObject({ code: 'nul' })
    }
  })

  test('gives up a text that takes too long, and goes on with the next', async () => {
    await using parser = openParser(never, { timeLimitMs: 500 })
    expect(await parser.parse('a.md', ENDLESS)).toMatchObject({ code: 'too_complex' })
    const bytes = Buffer.from('word '.repeat(4_000))
    expect(await parser.parse('b.md', bytes)).toEqual(parsePage('b.md', bytes))
  })

  test('gives up a text that takes too much memory, and goes on with the next', async () => {
    await using parser = openParser(never, { memoryLimitBytes: 250 * 1024 ** 2 })
    expect(await parser.parse('a.md', Buffer.from('&amp;'.repeat(20_000)))).toMatchObject({
      code: 'too_complex',
      message: 'the text takes more than 250 MB of memory to parse',
    })
    const bytes = Buffer.from('word '.repeat(4_000))
    expect(await parser.parse('b.md', bytes)).toEqual(parsePage('b.md', bytes))
  })

  test('sets aside a text that crashes it, each time, and goes on with the next', async () => {
    await using parser = openParser(never)
    const crashing = Buffer.from('```\n```\n[[]|]]http://xß')
    expect(await parser.parse('a.md', crashing)).toMatchObject({ code: 'parser_crashed' })
    const bytes = Buffer.from('[[Straße]] and http://example.org')
    expect(await parser.parse('b.md', bytes)).toEqual(parsePage('b.md', bytes))
  })

  test('has many texts parsed at once, of which one that crashes it harms no other', async () => {
    await using parser = openParser(never)
    const bytes = Buffer.from('word '.repeat(4_000))
    const crashing = Buffer.from('[[a]|]]http://xß')
    const pages = [bytes, crashing, bytes, Buffer.from('cheap'), bytes].map((text) => parser.parse('a.md', text))
    const page = expect.objectContaining({ slug: 'a' })
    const crashed = expect.objectContaining({ code: 'parser_crashed' })
    expect(await Promise.all(pages)).toEqual([page, crashed, page, page, page])
  })

  test('leaves no process behind when it is closed while texts wait', async () => {
    const parser = openParser(never)
    const parsing = Promise.allSettled([ENDLESS, ENDLESS].map((text) => parser.parse('a.md', text)))
    await parser[Symbol.asyncDispose]()
    const closed = { status: 'rejected', reason: new Error('the parser is closed') }
    expect(await parsing).toEqual([closed, closed])
    expect(descendants().filter((line) => line.includes('parser-process'))).toEqual([])
  })

  test('is stopped by its signal in the middle of a text, and leaves no process behind', async () => {
    const stop = new AbortController()
    await using parser = openParser(stop.signal)
    await parser.parse('b.md', Buffer.from('word '.repeat(4_000)))
    const parsing = parser.parse('a.md', ENDLESS)
    stop.abort(new Error('stopped'))
    await expect(parsing).rejects.toThrow('stopped')
    expect(descendants().filter((line) => line.includes('parser-process'))).toEqual([])
  })
})
