import { describe, expect, test } from 'vitest'
import { LeaseLostError, LockError, type LockErrorCode } from '../src/index.ts'

describe('an error', () => {
  test('has its code, its cause where there is one, and JSON can hold that of a lost lease', () => {
    const cause = new Error('cut')
    const error = new LockError('LOCK_FAILED', 'the database failed', cause)
    expect(error).toMatchObject({ name: 'LockError', code: 'LOCK_FAILED', message: 'the database failed', cause })
    expect('cause' in new LockError('LOCK_TIMEOUT' satisfies LockErrorCode, 'waited')).toBe(false)
    expect(new LockError('LOCK_FAILED', 'x', null).cause).toBeNull()
    const lastConfirmedAt = new Date(5)
    const lost = new LeaseLostError('taken', { key: 'job', token: 7n, lastConfirmedAt })
    expect(lost).toMatchObject({ name: 'LeaseLostError', code: 'LEASE_LOST', reason: 'taken', token: 7n })
    expect(JSON.parse(JSON.stringify(lost))).toEqual({
      name: 'LeaseLostError',
      code: 'LEASE_LOST',
      message: 'the lease of "job" is lost: another holder has it by now',
      reason: 'taken',
      key: 'job',
      token: '7',
      lastConfirmedAt: '1970-01-01T00:00:00.005Z',
    })
  })
})
