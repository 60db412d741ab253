import { hostname } from 'node:os'
import { describe, expect, test } from 'vitest'
import { createLocks, type LocksOptions, type TryOptions } from '../src/index.ts'
import { resolveRequest, resolveSettings } from '../src/options.ts'
import { scriptedDatabase } from './world/scripted-database.ts'

const badOption = expect.objectContaining({ code: 'LOCK_BAD_OPTIONS' })
const MAX_TIMER_MS = 2 ** 31 - 1

describe('createLocks', () => {
  test('has the times of the documentation, and names its holder by host and process', () => {
    expect(resolveSettings({})).toMatchObject({
      table: { schema: null, name: 'heartbeat_locks' },
      columns: {
        key: 'key',
        holderPid: 'holder_pid',
        holderHost: 'holder_host',
        acquiredAt: 'acquired_at',
        expiresAt: 'expires_at',
      },
      ttlMs: 90_000,
      heartbeatMs: 15_000,
      marginMs: 2_000,
      timeoutMs: 10_000,
      holder: { host: hostname(), pid: process.pid, label: undefined },
      holderId: expect.stringMatching(`^${hostname()}:${process.pid}:.{36}$`),
    })
    expect(resolveSettings({}).holderId).not.toBe(resolveSettings({}).holderId)
  })

  test('waits for no statement longer than a lease is trusted', () => {
    expect(resolveSettings({ ttlMs: 3_000, heartbeatMs: 200, marginMs: 500 }).timeoutMs).toBe(2_500)
    expect(resolveSettings({ timeoutMs: 7 }).timeoutMs).toBe(7)
  })

  test.each<[string, LocksOptions]>([
    ['exactly three heartbeats in the trusted time', { ttlMs: 3_100, heartbeatMs: 1_000, marginMs: 100 }],
    ['no margin', { marginMs: 0 }],
    ['the longest times that a timer can wait', { ttlMs: MAX_TIMER_MS, timeoutMs: MAX_TIMER_MS }],
    ['the greatest process id of a column', { holder: { pid: 2 ** 31 - 1 } }],
    ['the least one', { holder: { pid: 1 - 2 ** 31 } }],
    ['a holder without a label', { holder: { host: 'here', label: undefined } }],
    ['one column of another name', { columns: { key: 'id' } }],
    ['columns whose names are exchanged', { columns: { acquiredAt: 'expires_at', expiresAt: 'acquired_at' } }],
  ])('takes %s', (_, options) => {
    expect(createLocks(scriptedDatabase().db, options)).toBeDefined()
  })

  test.each<[string, unknown, RegExp]>([
    ['a lease of no time', { ttlMs: 0 }, /ttlMs.*not 0/],
    ['a heartbeat of no time', { heartbeatMs: 0 }, /heartbeatMs.*not 0/],
    ['no time for a statement', { timeoutMs: 0 }, /timeoutMs.*not 0/],
    ['less than no margin', { marginMs: -1 }, /marginMs.*not -1/],
    ['a part of a millisecond', { timeoutMs: 1.5 }, /timeoutMs.*not 1.5/],
    ['a time that is no number', { ttlMs: '90000' }, /ttlMs/],
    ['more than a timer can wait', { timeoutMs: MAX_TIMER_MS + 1 }, /timeoutMs/],
    [
      'less than three heartbeats in the trusted time',
      { ttlMs: 3_099, heartbeatMs: 1_000, marginMs: 100 },
      /1000 \* 3 > 3099 - 100/,
    ],
    ['a host with NUL', { holder: { host: 'a\0b' } }, /holder/],
    ['a host that is no text', { holder: { host: 5 } }, /holder/],
    ['a label with half a letter', { holder: { label: '\ud800' } }, /holder/],
    ['a label that is no text', { holder: { label: 5 } }, /holder/],
    ['a process id that no column can hold', { holder: { pid: 2 ** 31 } }, /pid/],
    ['one below', { holder: { pid: -(2 ** 31) } }, /pid/],
    ['a part of a process id', { holder: { pid: 1.5 } }, /pid/],
    ['a table that is a list', { table: ['locks'] }, /table/],
    ['a column that is not one of the table', { columns: { id: 'id' } }, /columns.id is not one of key, holderPid/],
    ['a column without a name', { columns: { key: '' } }, /columns.key/],
    ['a column of a name that migrate() adds', { columns: { key: 'token' } }, /columns.key cannot be "token"/],
    [
      'two columns of one name',
      { columns: { key: 'x', holderHost: 'x' } },
      /columns.holderHost and columns.key are both "x"/,
    ],
  ])('refuses %s', (_, options, message) => {
    const refused = expect.objectContaining({ code: 'LOCK_BAD_OPTIONS', message: expect.stringMatching(message) })
    expect(() => createLocks(scriptedDatabase().db, options as LocksOptions)).toThrow(refused)
  })

  test('refuses what cannot run SQL, as the database or as the connection of the heartbeat', () => {
    const { db } = scriptedDatabase()
    for (const none of [undefined, null, {}, { query: 'SELECT' }]) {
      expect(() => createLocks(none as never)).toThrow(badOption)
      if (none) expect(() => createLocks(db, { heartbeat: none as never })).toThrow(badOption)
    }
  })
})

describe('a request for a key', () => {
  const settings = resolveSettings({ ttlMs: 90_000, heartbeatMs: 15_000, marginMs: 2_000 })
  const resolve = (options: TryOptions = {}, key = 'job') => resolveRequest(settings, key, options)

  test('has the times of the locks, or a lease of its own length, whose heart beats three times in it', () => {
    expect(resolve()).toEqual({
      key: 'job',
      info: null,
      ttlMs: 90_000,
      trustMs: 88_000,
      heartbeatMs: 15_000,
      atLeastMs: null,
    })
    expect(resolve({ ttlMs: 8_000 })).toMatchObject({ ttlMs: 8_000, trustMs: 6_000, heartbeatMs: 2_000 })
    expect(resolve({ ttlMs: 600_000 })).toMatchObject({ trustMs: 598_000, heartbeatMs: 15_000 })
    expect(resolve({ ttlMs: 2_003 })).toMatchObject({ trustMs: 3, heartbeatMs: 1 })
    expect(resolve({ atLeastMs: 5 }).atLeastMs).toBe(5)
    expect(resolve({ atLeastMs: 0 }).atLeastMs).toBeNull()
  })

  test.each([2_002, 2_000, 0, -1, 2_500.5, Number.NaN, Number.POSITIVE_INFINITY, MAX_TIMER_MS + 1, '9000' as never])(
    'refuses a lease of %s ms where the margin is 2,000',
    (ttlMs) => {
      expect(() => resolve({ ttlMs })).toThrow(badOption)
    },
  )

  test('refuses to keep others away for what is no time', () => {
    const century = 100 * 366 * 86_400_000
    expect(resolve({ atLeastMs: century }).atLeastMs).toBe(century)
    for (const atLeastMs of [-1, Number.NaN, century + 1, '5' as never])
      expect(() => resolve({ atLeastMs })).toThrow(badOption)
  })

  test('has a key of 1 to 1,024 bytes', () => {
    expect(resolve({}, 'é'.repeat(512)).key).toHaveLength(512)
    for (const key of ['', 'é'.repeat(513), 'a\0b', '\ud800', 5 as never, null as never, ['job'] as never])
      expect(() => resolve({}, key)).toThrow(expect.objectContaining({ code: 'LOCK_BAD_KEY' }))
  })

  test.each([
    [{ step: 1 }, '{"step":1}'],
    [null, 'null'],
    ['text', '"text"'],
    ['a \\u0000 that is written out', '"a \\\\u0000 that is written out"'],
    ['\\\\ud800', '"\\\\\\\\ud800"'],
    ['😀', '"😀"'],
    [undefined, null],
  ])('stores %j as JSON', (info, json) => {
    expect(resolve({ info }).info).toBe(json)
  })

  test.each([
    ['NUL', 'a\0b'],
    ['half a letter', '\udead'],
    ['NUL after a backslash', '\\\0'],
    ['a function', () => {}],
    ['a symbol', Symbol('s')],
  ])('refuses info with %s', (_, info) => {
    expect(() => resolve({ info })).toThrow(
      expect.objectContaining({ code: 'LOCK_BAD_OPTIONS', message: expect.stringContaining('a row of Postgres') }),
    )
  })

  test('says why info is none that JSON can hold', () => {
    expect(() => resolve({ info: 1n })).toThrow(
      expect.objectContaining({
        code: 'LOCK_BAD_OPTIONS',
        message: expect.stringContaining('BigInt'),
        cause: expect.any(TypeError),
      }),
    )
  })
})
