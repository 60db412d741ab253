import { describe, expect, test, vi } from 'vitest'
import { createLocks } from '../src/index.ts'
import { eventLog } from './peers/event-log.ts'
import { answerAfter, later, NEVER, pass, useFakedClock } from './world/faked-clock.ts'
import { coded, lockRow, refused, scriptedDatabase } from './world/scripted-database.ts'

vi.mock('node:timers/promises', () => import('@tidemark/test-engines/faked-timers'))
useFakedClock()

describe('break', () => {
  const broken = (more: object = {}) => ({ ...lockRow(), broken: true, ...more })

  test('sends what is selected and by which gate', async () => {
    const { locks, paramsOf } = scriptedDatabase()
    const own = locks()
    await own.break('job')
    await own.break('job', { maxAgeMs: 5, token: 7n, force: true })
    await own.breakAll({})
    await own.breakAll({ prefix: 'a:', host: 'here', pid: 7 }, { maxAgeMs: 0 })
    expect(paramsOf('break')).toEqual([
      ['job', '', null, null, null, null, false],
      ['job', '', null, null, 5, '7', true],
      [null, '', null, null, null, null, false],
      [null, 'a:', 'here', 7, 0, null, false],
    ])
  })

  test('tells of what was broken and of what was refused, and of an event for the first alone', async () => {
    const { onEvent, events } = eventLog()
    const { locks } = scriptedDatabase({
      break: () => [broken({ key: 'a', token: '1' }), broken({ key: 'b', token: '2', broken: false })],
    })
    const holder = { id: 'there:7:x', host: 'there', pid: 7, label: null }
    const verdicts = await locks({ onEvent }).breakAll({})
    expect(verdicts).toEqual([
      { verdict: 'broken', key: 'a', token: 1n, holder, sinceRefreshMs: 1_000 },
      { verdict: 'refused', key: 'b', token: 2n, holder, sinceRefreshMs: 1_000 },
    ])
    expect(JSON.parse(JSON.stringify(verdicts))[0]).toMatchObject({ verdict: 'broken', token: '1' })
    expect(events).toEqual([{ type: 'broken', key: 'a', token: 1n, holder }])
  })

  test('counts from now what it refused because the clock was set back, and nothing else', async () => {
    const { locks, paramsOf } = scriptedDatabase({
      break: () => [
        broken({ key: 'broken', since_refresh_ms: -5 }),
        broken({ key: 'set back', since_refresh_ms: -5, broken: false }),
        broken({ key: 'just now', since_refresh_ms: 0, broken: false }),
        broken({ key: 'live', since_refresh_ms: 5, broken: false }),
        broken({ key: 'unknown', since_refresh_ms: null, broken: false }),
      ],
    })
    await locks().breakAll({})
    expect(paramsOf('rebase')).toEqual([['set back']])
  })

  test('of no key and of no age is refused before anything is sent', async () => {
    const { locks, sent } = scriptedDatabase()
    await expect(locks().break('')).rejects.toMatchObject({ code: 'LOCK_BAD_KEY' })
    await expect(locks().breakAll({ key: 'a\0b' })).rejects.toMatchObject({ code: 'LOCK_BAD_KEY' })
    await expect(locks().breakAll({}, { maxAgeMs: -1 })).rejects.toMatchObject({ code: 'LOCK_BAD_OPTIONS' })
    expect(sent).toEqual([])
  })

  test('waits for transactions longer than for any other statement, and no longer than its signal says', async () => {
    const { locks } = scriptedDatabase({ break: (_, n) => (n === 1 ? answerAfter(3_600_000, []) : NEVER) })
    const breaking = locks({ timeoutMs: 100 }).break('job')
    await pass(3_600_000)
    expect(await breaking).toEqual({ verdict: 'absent', key: 'job' })
    const stop = new AbortController()
    const stopped = later(locks().break('job', { signal: stop.signal }))
    stop.abort(new Error('enough'))
    await expect(stopped).rejects.toThrow('enough')
  })
})

describe('inspect and list', () => {
  test('tell of a lock in the terms of the API', async () => {
    const { locks, paramsOf } = scriptedDatabase({
      inspect: () => [lockRow({ resign_requested: true, end_reason: 'broken', holder_label: 'nightly', info: [1] })],
    })
    const state = await locks().inspect('job')
    expect(state).toEqual({
      key: 'job',
      token: 5n,
      holder: { id: 'there:7:x', host: 'there', pid: 7, label: 'nightly' },
      info: [1],
      heldForMs: 61_000,
      sinceRefreshMs: 1_000,
      expiresInMs: 60_000,
      acquiredAt: new Date(1_000),
      resignRequested: true,
      endReason: 'broken',
    })
    expect(JSON.parse(JSON.stringify(state))).toMatchObject({ token: '5', acquiredAt: '1970-01-01T00:00:01.000Z' })
    expect(paramsOf('inspect')).toEqual([['job']])
  })

  test.each([
    ['was released', { holder_id: null }, false],
    ['expires in this very moment', { expires_in_ms: 0 }, false],
    ['has expired', { expires_in_ms: -1 }, false],
    ['is held for another moment', { expires_in_ms: 0.5 }, true],
    ['is held for ever', { expires_in_ms: Number.POSITIVE_INFINITY }, true],
  ])('name the holder of a lock that %s: %o, %s', async (_, row, hasHolder) => {
    const { locks } = scriptedDatabase({ inspect: () => [lockRow(row)] })
    expect((await locks().inspect('job'))!.holder !== null).toBe(hasHolder)
  })

  test('show times that a clock which was set back made negative as 0, and unknown ones as null', async () => {
    const { locks } = scriptedDatabase({
      list: () => [lockRow({ held_for_ms: -5, since_refresh_ms: -7 }), lockRow({ since_refresh_ms: null })],
    })
    expect(await locks().list()).toMatchObject([
      { heldForMs: 0, sinceRefreshMs: 0 },
      { heldForMs: 61_000, sinceRefreshMs: null },
    ])
  })

  test('name a holder that is a program which knows only of expiry by its host and process', async () => {
    const { locks } = scriptedDatabase({ acquire: () => refused({ holder_id: null, holder_pid: '7' }) })
    expect(await locks().tryAcquire('job')).toMatchObject({ holder: { id: 'there:7', pid: 7 } })
  })

  test('of a client that renames columns say so, and nobody waits for it to pass', async () => {
    const { locks, count } = scriptedDatabase({ acquire: () => refused({ held_for_ms: undefined }) })
    await expect(locks().acquire('job')).rejects.toMatchObject({ message: expect.stringContaining('renames columns') })
    expect(count('acquire')).toBe(1)
  })

  test('of no key and of no lock', async () => {
    const { locks, paramsOf, count } = scriptedDatabase()
    await expect(locks().inspect('')).rejects.toMatchObject({ code: 'LOCK_BAD_KEY' })
    expect(count('inspect')).toBe(0)
    expect(await locks().inspect('job')).toBeNull()
    expect(await locks().list()).toEqual([])
    expect(await locks().list({ prefix: 'a:' })).toEqual([])
    expect(paramsOf('list')).toEqual([[''], ['a:']])
  })
})

describe('requestResign', () => {
  test('says whether anyone has the key, and can ask one lease alone', async () => {
    const { locks, paramsOf } = scriptedDatabase({ requestResign: (_, n) => (n === 1 ? [{ requested: 1 }] : []) })
    expect(await locks().requestResign('job')).toBe(true)
    expect(await locks().requestResign('job', { token: 7n })).toBe(false)
    await expect(locks().requestResign('')).rejects.toMatchObject({ code: 'LOCK_BAD_KEY' })
    expect(paramsOf('requestResign')).toEqual([
      ['job', null],
      ['job', '7'],
    ])
  })
})

describe('prune', () => {
  test('needs an age, and says how many rows it has deleted', async () => {
    const { locks, paramsOf } = scriptedDatabase({ prune: () => [{ pruned: 3 }] })
    expect(await locks().prune({ olderThanMs: 0 })).toBe(3)
    for (const olderThanMs of [-1, undefined as never])
      await expect(locks().prune({ olderThanMs })).rejects.toMatchObject({ code: 'LOCK_BAD_OPTIONS' })
    expect(paramsOf('prune')).toEqual([[0]])
  })

  test('may take as long as it takes', async () => {
    const { locks } = scriptedDatabase({ prune: () => answerAfter(3_600_000, [{ pruned: 3 }]) })
    const pruning = locks({ timeoutMs: 100 }).prune({ olderThanMs: 0 })
    await pass(3_600_000)
    expect(await pruning).toBe(3)
  })
})

describe('migrate', () => {
  test('that has no right says who may run what, and other faults as they are', async () => {
    const { locks, answers } = scriptedDatabase({ other: () => Promise.reject(coded('42501', 'permission denied')) })
    await expect(locks({ table: 'jobs.locks' }).migrate()).rejects.toMatchObject({
      code: 'LOCK_FORBIDDEN',
      message:
        'this role may not create "jobs"."locks": permission denied. Have someone who may run what migrationSql() returns',
      cause: { code: '42501' },
    })
    answers.other = () => Promise.reject(coded('ECONNRESET'))
    await expect(locks().migrate()).rejects.toMatchObject({ code: 'LOCK_FAILED', cause: { code: 'ECONNRESET' } })
  })

  test('can be run by someone else, who is given the same SQL', async () => {
    const sent: string[] = []
    const db = { query: async (text: string) => ({ rows: [sent.push(text)] }) }
    const locks = createLocks(db, { table: 'jobs.locks' })
    await locks.migrate()
    // First it looks whether that is needed.
    expect(sent.slice(1)).toEqual([locks.migrationSql()])
    expect(sent[1]).toContain('"jobs"."locks"')
  })

  test('may take as long as it takes, or until its signal says', async () => {
    const { locks, answers } = scriptedDatabase({ other: () => answerAfter(3_600_000, []) })
    const migrating = locks({ timeoutMs: 100 }).migrate()
    await pass(3_600_000)
    await pass(3_600_000)
    await migrating
    answers.other = () => NEVER
    const stop = new AbortController()
    const stopped = later(locks().migrate({ signal: stop.signal }))
    stop.abort(new Error('enough'))
    await expect(stopped).rejects.toThrow('enough')
  })
})
