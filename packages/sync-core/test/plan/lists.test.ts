import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { byteOrder } from '../../src/plan/byte-order.ts'
import { compressedList } from '../../src/plan/compressed-list.ts'
import { type Move, orderMoves } from '../../src/plan/order-moves.ts'

describe('two paths', () => {
  test('have the order of their bytes, whatever they are of', () => {
    const letter = fc.constantFrom('a', 'b', '\x7f', 'é', '\ud7ff', '\ue000', '\uffff', '😀', '\u{10ffff}')
    const path = fc.array(letter, { maxLength: 4 }).map((letters) => letters.join(''))
    fc.assert(
      fc.property(path, path, (a, b) => {
        expect(Math.sign(byteOrder(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
      }),
      { numRuns: 3_000 },
    )
  })

  test.each([
    ['\ud7ff', '\u{10000}'],
    ['\uffff', '\u{10000}'],
    ['\ue000', '\u{10ffff}'],
    ['a', 'a/'],
    ['', 'a'],
    ['\u{10000}', '\u{10ffff}'],
    ['\u{103fe}', '\u{103ff}'],
  ])('%j comes before %j', (a, b) => {
    expect(byteOrder(a, b)).toBeLessThan(0)
    expect(byteOrder(b, a)).toBeGreaterThan(0)
    expect(byteOrder(a, a)).toBe(0)
  })
})

test.each([0, 1, 511, 512, 513, 1_024, 1_500])(
  'a compressed list of %i gives back what went in, as often as it is read',
  (n) => {
    const list = compressedList<{ n: number }>()
    const records = Array.from({ length: n }, (_, i) => ({ n: i }))
    for (const record of records) list.push(record)
    expect(list).toHaveLength(n)
    expect([...list]).toEqual(records)
    expect([...list]).toEqual(records)
  },
)

describe('moves', () => {
  /** `gone → path` of a page whose path is gone, `kept ⇒ path` of one over which another is written; `new` is a new path. */
  const move = (from: string, to: string, { gone = true, isNew = false } = {}): Move => ({
    page: { id: from, path: from, index: gone ? 0 : null },
    target: { path: to, blobOid: 'f00', isNew, index: 0 },
  })
  const order = (moves: Move[]) => {
    const { ordered, chains } = orderMoves(moves)
    return {
      order: ordered.map(({ move: { page, target }, cycle }) => `${page.path} → ${target.path} ${cycle}`),
      chains,
    }
  }

  test('of a chain begin at its end', () => {
    const [a, b, c] = [move('a', 'b'), move('b', 'c', { gone: false }), move('c', 'd', { gone: false, isNew: true })]
    const expected = { order: ['c → d null', 'b → c null', 'a → b null'], chains: 1 }
    expect(order([a, b, c])).toEqual(expected)
    expect(order([c, a, b])).toEqual(expected)
  })

  test('of a chain whose beginning is still there, or whose end is not new, are none', () => {
    expect(order([move('a', 'b', { gone: false }), move('b', 'c', { gone: false, isNew: true })])).toEqual({
      order: [],
      chains: 0,
    })
    expect(order([move('a', 'b'), move('b', 'c', { gone: false })])).toEqual({ order: [], chains: 0 })
  })

  test('of cycles have the number of theirs', () => {
    const cycle = (a: string, b: string) => [move(a, b, { gone: false }), move(b, a, { gone: false })]
    expect(order([...cycle('a', 'b'), move('x', 'y', { isNew: true }), ...cycle('c', 'd')])).toEqual({
      order: ['x → y null', 'a → b 0', 'b → a 0', 'c → d 1', 'd → c 1'],
      chains: 1,
    })
  })

  test('of nothing are nothing', () => {
    expect(order([])).toEqual({ order: [], chains: 0 })
  })
})
