import TinyQueue from 'tinyqueue'

/** The connections that a database has. */
export interface ConnectionPool {
  /** @returns false where there are not so many at that hour. Hours never go back. */
  take(fromHour: number, toHour: number, count: number): boolean
}

export function connectionPool(size: number): ConnectionPool {
  let taken = 0
  const held = new TinyQueue<{ toHour: number; count: number }>([], (a, b) => a.toHour - b.toHour)
  return {
    take(fromHour, toHour, count) {
      while (held.length > 0 && held.peek()!.toHour <= fromHour) taken -= held.pop()!.count
      if (taken + count > size) return false
      taken += count
      held.push({ toHour, count })
      return true
    },
  }
}
