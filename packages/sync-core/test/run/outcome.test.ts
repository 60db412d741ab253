import { LeaseLostError, LockError } from '@tidemark/lock'
import { describe, expect, test } from 'vitest'
import { SyncError } from '../../src/index.ts'
import type { Outcome } from '../../src/run/outcome.ts'
import {
  errorCode,
  outcomeFromError,
  pullTimeout,
  refuseTooManyFailures,
  Stopped,
  TooManyFailures,
} from '../../src/run/outcome-from-error.ts'

const lost = () => new LeaseLostError('taken', { key: 'sync:docs', token: 1n, lastConfirmedAt: new Date(0) })
const coded = (code: string, message = code) => Object.assign(new Error(message), { code })

function outcome(error: unknown, reason?: unknown): Outcome {
  const signal = reason === undefined ? new AbortController().signal : AbortSignal.abort(reason)
  return outcomeFromError(error, 'docs', signal, [])
}

describe('a run that was stopped ends as partial', () => {
  test.each<[string, unknown, unknown, string]>([
    ['by its budget', new Stopped('timeout', 'm'), new Stopped('timeout', 'm'), 'timeout'],
    ['as stalled', new Error('whatever failed by that'), new Stopped('stalled', 'm'), 'stalled'],
    [
      'in a fetch, which says more than the signal',
      new Stopped('pull_timeout', 'm'),
      new Stopped('timeout', 'm'),
      'pull_timeout',
    ],
    ['in a fetch whose error comes alone', new Stopped('pull_timeout', 'm'), undefined, 'pull_timeout'],
    ['by the loss of its lease', coded('57014'), lost(), 'lease_lost'],
    ['by the loss of its lease, thrown', lost(), undefined, 'lease_lost'],
    ['by its caller', new Error('aborted'), new Error('enough'), 'cancelled'],
    ['by its caller, where too many failed too', new TooManyFailures('30 of 40'), new Error('enough'), 'cancelled'],
  ])('%s', (_, error, reason, expected) => {
    expect(outcome(error, reason)).toEqual({ status: 'partial', reason: expected })
  })
})

test('a run of which too much failed is blocked, with the count as a warning', () => {
  const warnings = [{ code: 'skipped', message: 'before' }]
  const result = outcomeFromError(
    new TooManyFailures('30 of 40 have failed'),
    'docs',
    new AbortController().signal,
    warnings,
  )
  expect(result).toEqual({ status: 'blocked_by_failures' })
  expect(warnings.slice(1)).toEqual([{ code: 'too_many_failures', message: '30 of 40 have failed' }])
})

describe('too much has failed', () => {
  test.each([
    [20, 20],
    [21, 105],
    [0, 0],
    [200, 1_000],
  ])('not with %i of %i', (failed, total) => {
    expect(() => refuseTooManyFailures(failed, total, 'have failed')).not.toThrow()
  })

  test.each([
    [21, 104],
    [21, 21],
    [201, 1_000],
  ])('with %i of %i', (failed, total) => {
    expect(() => refuseTooManyFailures(failed, total, 'files have failed')).toThrow(
      new TooManyFailures(`${failed} of ${total} files have failed`),
    )
  })
})

describe('a budget that is spent while a server is waited for', () => {
  test('says so, and any other reason stays as it is', () => {
    expect(pullTimeout(new Stopped('timeout', 'm'))).toMatchObject({ name: 'Stopped', reason: 'pull_timeout' })
    for (const reason of [new Stopped('stalled', 'm'), new Error('enough'), { reason: 'timeout' }])
      expect(pullTimeout(reason)).toBe(reason)
  })
})

describe('a fault ends a run as failed', () => {
  const again = 'Nothing is lost: the next run goes on from here.'
  test.each<[string, unknown, string, string, string, string]>([
    ['of git', new SyncError('GIT_FAILED', 'm', 'h'), 'git_failed', 'GIT_FAILED', 'm', 'h'],
    ['of a fetch', new SyncError('FETCH_FAILED', 'm', 'h'), 'fetch_failed', 'FETCH_FAILED', 'm', 'h'],
    [
      'of a fetch that was refused',
      new SyncError('FETCH_REFUSED', 'm', 'h'),
      'fetch_failed',
      'FETCH_REFUSED',
      'm',
      'h',
    ],
    ...['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', '57P01', '08006'].map(
      (code): [string, unknown, string, string, string, string] => [
        `of the connection (${code})`,
        coded(code, 'm'),
        'database_unreachable',
        'DATABASE_UNREACHABLE',
        'The database went away: m',
        again,
      ],
    ),
    ...[
      'Connection terminated unexpectedly',
      'Client has encountered an error and is not queryable',
      'the Database has ended',
    ].map((message): [string, unknown, string, string, string, string] => [
      'of the connection, by its words',
      new Error(message),
      'database_unreachable',
      'DATABASE_UNREACHABLE',
      `The database went away: ${message}`,
      again,
    ]),
    [
      'of the lease, by its cause',
      new LockError('LOCK_FAILED', 'the database failed', coded('53100', 'no space')),
      'database_failed',
      'DATABASE_FAILED',
      'The database refused a statement (53100): no space',
      'The disk of the database server is full: make room there.',
    ],
    [
      'of the lease without a cause',
      new LockError('LOCK_FAILED', 'no answer'),
      'database_unreachable',
      'DATABASE_UNREACHABLE',
      'The database went away: no answer',
      again,
    ],
    [
      'of the lease whose cause is no error',
      new LockError('LOCK_FAILED', 'no answer', 'down'),
      'database_unreachable',
      'DATABASE_UNREACHABLE',
      'The database went away: no answer',
      again,
    ],
    ...Object.entries({
      '42501': 'What this role has to be granted: tidemark doctor',
      '25006': 'The database is read-only; how that can be changed: tidemark doctor',
    }).map(([code, hint]): [string, unknown, string, string, string, string] => [
      `of a right or a setting (${code})`,
      coded(code, 'm'),
      'database_refused',
      'DATABASE_REFUSED',
      `The database refused a statement (${code}): m`,
      hint,
    ]),
    ...Object.entries({
      '3F000': 'tidemark migrate',
      '42P01': 'tidemark migrate',
      '23505': 'See the log of the database server.',
    }).map(([code, hint]): [string, unknown, string, string, string, string] => [
      `of a statement (${code})`,
      coded(code, 'm'),
      'database_failed',
      'DATABASE_FAILED',
      `The database refused a statement (${code}): m`,
      hint,
    ]),
    ...[
      new TypeError('x is not a function'),
      'x is not a function',
      { message: 'x is not a function', code: 23_505 },
    ].map((error): [string, unknown, string, string, string, string] => [
      'of the program',
      error,
      'unexpected',
      'UNEXPECTED',
      'x is not a function',
      'This looks like a fault of tidemark: please report it.',
    ]),
    [
      'of the system, whose code is as long as one of Postgres',
      coded('EPERM', 'm'),
      'unexpected',
      'UNEXPECTED',
      'm',
      'This looks like a fault of tidemark: please report it.',
    ],
    [
      'of the program with a code of its own',
      coded('ERR_X', 'm'),
      'unexpected',
      'UNEXPECTED',
      'm',
      'This looks like a fault of tidemark: please report it.',
    ],
    [
      'of the program with a code that is like one',
      coded('ERR_ASSERTION', 'm'),
      'unexpected',
      'UNEXPECTED',
      'm',
      'This looks like a fault of tidemark: please report it.',
    ],
    [
      'of the system',
      coded('ENOENT', 'm'),
      'unexpected',
      'UNEXPECTED',
      'm',
      'This looks like a fault of tidemark: please report it.',
    ],
    [
      'with a password in its address',
      new Error('cannot reach postgres://me:secret@here/db'),
      'unexpected',
      'UNEXPECTED',
      'cannot reach postgres://here/db',
      'This looks like a fault of tidemark: please report it.',
    ],
  ])('%s', (_, error, reason, code, message, hint) => {
    expect(outcome(error)).toEqual({ status: 'failed', reason, error: { code, message, hint } })
  })
})

test.each<[string, unknown, string]>([
  ['of ours', new SyncError('REF_NOT_FOUND', 'm', 'h'), 'REF_NOT_FOUND'],
  ['of a lease', new LockError('LOCK_FORBIDDEN', 'm', coded('42501')), 'LOCK_FORBIDDEN'],
  ['of a lease whose database failed', new LockError('LOCK_FAILED', 'm', coded('53100')), 'DATABASE_FAILED'],
  ['of a lost connection', coded('ECONNRESET'), 'DATABASE_UNREACHABLE'],
  ['of a statement', coded('23505'), 'DATABASE_FAILED'],
  ['of a right that is missing', coded('42501'), 'DATABASE_REFUSED'],
  ['that nobody has thought of', new TypeError('m'), 'UNEXPECTED'],
])('an error %s has a code for programs', (_, error, code) => {
  expect(errorCode(error)).toBe(code)
})
