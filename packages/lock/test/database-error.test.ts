import { describe, expect, test } from 'vitest'
import { asLockError, isTransient, sqlState } from '../src/database-error.ts'
import { LockError } from '../src/index.ts'
import { coded } from './world/scripted-database.ts'

/** An error that is the cause of that many others. */
function wrapped(error: unknown, times: number): unknown {
  return times === 0 ? error : wrapped(new Error('wrapped', { cause: error }), times - 1)
}

describe('an error of the database', () => {
  test.each([
    ['a missing table', '42P01', 'LOCK_NOT_MIGRATED'],
    ['a missing schema', '3F000', 'LOCK_NOT_MIGRATED'],
    ['a missing column', '42703', 'LOCK_NOT_MIGRATED'],
    ['a missing function', '42883', 'LOCK_NOT_MIGRATED'],
    ['a table that cannot hold leases', 'P0TLK', 'LOCK_BAD_TABLE'],
    ['a missing right', '42501', 'LOCK_FORBIDDEN'],
    ['anything else', '53300', 'LOCK_FAILED'],
    ['a lost connection', 'ECONNRESET', 'LOCK_FAILED'],
  ])('for %s (%s) is %s, with what the database said', (_, state, code) => {
    const cause = coded(state, 'what it said')
    expect(asLockError(cause)).toMatchObject({ code, message: expect.stringContaining('what it said'), cause })
  })

  test('that is no error object is told too', () => {
    expect(asLockError('down').message).toBe('the database failed: down')
    expect(asLockError(null).message).toBe('the database failed: null')
    expect(asLockError({ code: '53300' }).message).toBe('the database failed: [object Object]')
  })

  test('that is one of this package stays as it is', () => {
    const error = new LockError('LOCK_TIMEOUT', 'waited')
    expect(asLockError(error)).toBe(error)
  })
})

describe('the SQLSTATE of an error is found', () => {
  test.each([
    ['in the error of pg', coded('40001')],
    ['in the original code of a driver adapter', { originalCode: '40001' }],
    ['in the cause of a query builder', new Error('Failed query', { cause: coded('40001') })],
    ['in the meta data of Prisma', { code: 'P2010', meta: { code: '40001' } }],
    ['in what Prisma keeps of its adapter', { meta: { driverAdapterError: { cause: { originalCode: '40001' } } } }],
    ['behind six others', wrapped(coded('40001'), 6)],
  ])('%s', (_, error) => {
    expect(sqlState(error)).toBe('40001')
  })

  test.each([
    ['a name of the system', coded('EPIPE')],
    ['a code of Prisma', { code: 'P2010' }],
    ['a number', { code: 40_001 }],
    ['nothing', null],
    ['no value', undefined],
    ['an error whose cause is nothing', new Error('x', { cause: null })],
  ])('not in %s', (_, error) => {
    expect(sqlState(error)).toBeUndefined()
  })

  test('and not looked for without an end, where an error is its own cause', () => {
    const error = new Error('round')
    error.cause = error
    expect(sqlState(error)).toBeUndefined()
    expect(sqlState(wrapped(coded('40001'), 7))).toBeUndefined()
  })
})

describe('a fault', () => {
  test.each([
    ['a connection that failed', coded('08006')],
    ['a cancelled statement', coded('57014')],
    ['a server that shuts down', coded('57P01')],
    ['a lock that is not available', coded('55P03')],
    ['a standby', coded('25006')],
    ['a race', coded('40001')],
    ['a deadlock', coded('40P01')],
    ['a server without a free connection', coded('53300')],
    ['a fetch that failed, a TypeError with a cause', new TypeError('fetch failed', { cause: coded('ECONNRESET') })],
    ['a name that was not found now', coded('EAI_AGAIN')],
    ['a text', 'down'],
    ['nothing', null],
    ['no value', undefined],
    ['no answer in time', new LockError('LOCK_FAILED', 'no answer')],
    ['what this package says of a lost connection', asLockError(coded('ECONNRESET'))],
    ['what this package says of a standby', asLockError(coded('25006'))],
  ])('may pass: %s', (_, error) => {
    expect(isTransient(error)).toBe(true)
  })

  test.each([
    ['a wrong password', coded('28P01')],
    ['a division by zero', coded('22012')],
    ['a transaction that has failed', coded('25P02')],
    ['a mistake in a type', new TypeError('db.query is not a function')],
    ['a mistake in a range', new RangeError('Invalid array length')],
    ['a mistake in a name', new ReferenceError('x is not defined')],
    ['a pool of pg that was ended', new Error('Cannot use a pool after calling end on the pool')],
    ['postgres.js that was ended', coded('CONNECTION_ENDED', 'write CONNECTION_ENDED')],
    ['postgres.js that was ended, by its code alone', { code: 'CONNECTION_DESTROYED' }],
    ['what this package says of a wrong password', asLockError(coded('28P01'))],
    ['what this package says of a closed PGlite', asLockError(new Error('PGlite is closed'))],
    ['the time of a waiter', new LockError('LOCK_TIMEOUT', 'waited')],
    ['a wait for itself, whatever its cause', new LockError('LOCK_DEADLOCK', 'held', coded('ECONNRESET'))],
    ['a missing table', asLockError(coded('42P01'))],
  ])('never passes: %s', (_, error) => {
    expect(isTransient(error)).toBe(false)
  })
})
