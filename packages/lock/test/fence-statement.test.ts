import { describe, expect, test } from 'vitest'
import type { Queryable } from '../src/index.ts'
import { clockedLocks } from './world/clocked-locks.ts'
import { coded, renewals } from './world/scripted-database.ts'

describe('a fence', () => {
  const tx = (...answers: any[][]) => {
    const sent: string[] = []
    const db: Queryable = {
      async query(text, params = []) {
        sent.push(text)
        const [rows] = answers.splice(0, 1)
        return { rows: typeof rows![0] === 'string' ? renewals(params as any[], rows![0]) : rows! }
      },
    }
    return { db, sent }
  }

  test('in a transaction that has written is one statement, and in one that has not, two', async () => {
    const { acquire } = clockedLocks()
    const lease = await acquire()
    const written = tx([{ xid: '9' }])
    await lease.fence(written.db)
    expect(written.sent).toHaveLength(1)
    const unwritten = tx([{ xid: null }], [{ same: true }])
    await lease.fence(unwritten.db)
    expect(unwritten.sent).toHaveLength(2)
    await expect(lease.fence(tx([{ xid: null }], [{ same: false }]).db)).rejects.toMatchObject({
      code: 'LOCK_NO_TRANSACTION',
    })
    expect(lease.held).toBe(true)
  })

  test.each([
    ['broken', 'broken'],
    ['deleted', 'deleted'],
    // Between the two statements the row came back: it was another's in any case.
    ['renewed', 'taken'],
  ])('that finds no row, and it %s, loses the lease as %s', async (outcome, reason) => {
    const { acquire, sent } = clockedLocks()
    const lease = await acquire()
    await expect(lease.fence(tx([], [outcome]).db)).rejects.toMatchObject({ code: 'LEASE_LOST', reason })
    // There may be no other connection than that of the transaction.
    expect(sent.map(({ kind }) => kind)).toEqual(['acquire'])
  })

  test('whose statement fails is told in the terms of this package, and loses nothing', async () => {
    const { acquire } = clockedLocks()
    const lease = await acquire()
    const fencing = lease.fence({ query: () => Promise.reject(coded('42P01')) })
    await expect(fencing).rejects.toMatchObject({ code: 'LOCK_NOT_MIGRATED', cause: { code: '42P01' } })
    expect(lease.held).toBe(true)
  })

  test('is a template for the tag of a query builder, and a text with numbered parameters', async () => {
    const { acquire } = clockedLocks()
    const lease = await acquire()
    const fragment = lease.fenceTag((strings, ...values) => ({ strings, values }))
    expect(fragment.values).toEqual(['job', '1'])
    expect(fragment.strings).toHaveLength(3)
    expect(fragment.strings.raw).toEqual([...fragment.strings])
    const [before, between, after] = fragment.strings
    expect(lease.fenceSql(3)).toEqual({ text: `${before}$3${between}$4${after}`, params: ['job', '1'] })
  })
})
