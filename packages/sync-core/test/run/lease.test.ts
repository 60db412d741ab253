import type { Lease } from '@tidemark/lock'
import { LockError } from '@tidemark/lock'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Database } from '../../src/database/database.ts'
import { acquireLease, leaseKey, releaseWithRetry } from '../../src/run/lease.ts'

/** A lease whose releases end one after the other as it is said; the last of them again and again. */
function lease(...releases: (() => Promise<boolean>)[]) {
  const lost = new AbortController()
  const times: number[] = []
  const value = {
    signal: lost.signal,
    release() {
      times.push(Math.round(performance.now()))
      return (releases[times.length - 1] ?? releases.at(-1) ?? (async () => true))()
    },
  } as unknown as Lease
  return { value, times, lose: (reason: Error) => lost.abort(reason) }
}

vi.mock('node:timers/promises', () => import('@tidemark/test-engines/faked-timers'))

const fails = () => Promise.reject(new Error('down'))
const refused = {
  acquired: false,
  holder: { id: 'x', host: 'there', pid: 7, label: null },
  heldForMs: 5,
  sinceRefreshMs: 2,
}

/** Locks that answer so. */
function database({ acquire, tryAcquire }: { acquire?: () => unknown; tryAcquire?: () => unknown }) {
  const calls: unknown[][] = []
  const noting =
    (name: string, answer?: () => unknown) =>
    async (...args: unknown[]) => {
      calls.push([name, ...args])
      return answer?.()
    }
  const db = {
    locks: { acquire: noting('acquire', acquire), tryAcquire: noting('tryAcquire', tryAcquire) },
    query: async () => ({ rows: [] }),
  } as unknown as Database
  return { db, calls }
}

const { signal } = new AbortController()

describe('the lease of a run', () => {
  test('has a key for each thing that is done with a source', () => {
    expect([leaseKey('docs'), leaseKey('docs', 'embed'), leaseKey('docs', 'search')]).toEqual([
      'sync:docs',
      'embed:docs',
      'search:docs',
    ])
  })

  test('is asked for once where nobody is to wait, and another holder is told', async () => {
    const { db, calls } = database({ tryAcquire: () => refused })
    for (const waitMs of [undefined, 0])
      expect(await acquireLease(db, 'sync:docs', { signal, waitMs })).toEqual({
        status: 'busy',
        holder: { host: 'there', pid: 7, heldForMs: 5, sinceRefreshMs: 2 },
      })
    expect(calls).toEqual([
      ['tryAcquire', 'sync:docs', { signal }],
      ['tryAcquire', 'sync:docs', { signal }],
    ])
  })

  test('is waited for where that was asked, and after a wait in vain its holder is told', async () => {
    const { value } = lease()
    const waited = database({ acquire: () => value })
    expect(await acquireLease(waited.db, 'sync:docs', { signal, waitMs: 50 })).toMatchObject({ lease: value })
    expect(waited.calls).toEqual([['acquire', 'sync:docs', { waitMs: 50, signal }]])
    const vain = database({
      acquire: () => Promise.reject(new LockError('LOCK_TIMEOUT', 'waited')),
      tryAcquire: () => refused,
    })
    expect(await acquireLease(vain.db, 'sync:docs', { signal, waitMs: 50 })).toMatchObject({ status: 'busy' })
  })

  test('is a fault where the wait fails otherwise', async () => {
    for (const error of [
      new LockError('LOCK_FAILED', 'down'),
      Object.assign(new Error('x'), { code: 'LOCK_TIMEOUT' }),
    ]) {
      const { db } = database({ acquire: () => Promise.reject(error) })
      await expect(acquireLease(db, 'sync:docs', { signal, waitMs: 50 })).rejects.toBe(error)
    }
  })

  test('ends the work by its loss and by the caller, and is released at the end', async () => {
    for (const end of ['loss', 'caller'] as const) {
      const stop = new AbortController()
      const { value, times, lose } = lease()
      const { db } = database({ tryAcquire: () => ({ acquired: true, lease: value }) })
      const held = await acquireLease(db, 'sync:docs', { signal: stop.signal })
      if (!('lease' in held)) throw new Error('it is busy')
      expect(held.signal.aborted).toBe(false)
      if (end === 'loss') lose(new Error('enough'))
      else stop.abort(new Error('enough'))
      expect(held.signal.reason).toMatchObject({ message: 'enough' })
      await held[Symbol.asyncDispose]()
      expect(times).toHaveLength(1)
    }
  })
})

describe('a release', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  async function release(...releases: (() => Promise<boolean>)[]) {
    const { value, times } = lease(...releases)
    let endedMs: number | null = null
    const releasing = releaseWithRetry(value).then(() => {
      endedMs = performance.now()
    })
    await vi.advanceTimersByTimeAsync(20_000)
    await releasing
    return { times, endedMs }
  }

  test.each([true, false])('that is answered with %j is not repeated', async (answer) => {
    expect(await release(async () => answer)).toEqual({ times: [0], endedMs: 0 })
  })

  test('that fails is tried four times, ever more slowly, and is no fault of the run', async () => {
    expect(await release(fails)).toEqual({ times: [0, 250, 750, 1_500], endedMs: 1_500 })
  })

  test('that fails is tried no more when it has succeeded', async () => {
    expect(await release(fails, async () => true)).toEqual({ times: [0, 250], endedMs: 250 })
  })

  test('that hangs is left after three seconds, and not tried again when it fails later', async () => {
    const late = () => new Promise<boolean>((_, reject) => setTimeout(reject, 3_000, new Error('down')))
    expect(await release(late)).toEqual({ times: [0], endedMs: 3_000 })
    expect(vi.getTimerCount()).toBe(0)
  })
})
