import { describe, expect, test } from 'vitest'
import { countSource } from '../../src/store/count-source.ts'
import { migrate, pendingMigrations } from '../../src/store/migrate.ts'
import { readPage } from '../../src/store/read-page.ts'
import { countPages, readPages, readPagesAt } from '../../src/store/read-pages.ts'
import { readQuarantine } from '../../src/store/read-quarantine.ts'
import { readRows } from '../../src/store/read-rows.ts'
import { readRuns } from '../../src/store/read-runs.ts'
import { readSource, readSources } from '../../src/store/read-source.ts'
import { readStatus } from '../../src/store/read-status.ts'
import { recordCheck } from '../../src/store/record-check.ts'
import { recordEarlyEnd } from '../../src/store/record-early-end.ts'
import { coded, scriptedDatabase } from '../world/scripted-database.ts'

const { signal } = new AbortController()
const NO_TABLES = [
  coded('42P01', 'relation "tidemark.sources" does not exist'),
  coded('3F000', 'schema "tidemark" does not exist'),
  coded('42883', 'function tidemark.dictionary_for(text) does not exist'),
]

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const each of stream) list.push(each)
  return list
}

describe('a database without our tables', () => {
  test.each(NO_TABLES)('%s has no rows', async (error) => {
    expect(await readRows(scriptedDatabase(error).db, 'SELECT')).toEqual([])
  })

  test('is one where a function of another is missing, or it fails otherwise', async () => {
    for (const error of [
      coded('42883', 'operator does not exist: text @@ integer'),
      coded('42501', 'tidemark.sources'),
    ])
      await expect(readRows(scriptedDatabase(error).db, 'SELECT')).rejects.toBe(error)
  })

  test('is told from one that has the source', async () => {
    const source = { id: 'docs' }
    const { db, sent } = scriptedDatabase([source], [source])
    expect(await readSource(db, 'docs')).toEqual(source)
    expect(await readSources(db)).toEqual([source])
    expect(sent.map(({ params }) => params)).toEqual([['docs'], []])
    const size = { pages: 1, chunks: 2, links: 3, quarantined: 4, runs: 5 }
    const counting = scriptedDatabase([size])
    expect(await countSource(counting.db, 'docs')).toEqual(size)
    expect(counting.sent[0]!.params).toEqual(['docs'])
  })

  test('knows of no source, no run, no page and no file in quarantine', async () => {
    const empty = () => scriptedDatabase(NO_TABLES[0]!, NO_TABLES[0]!).db
    expect(await readSource(empty(), 'docs')).toBeNull()
    expect(await readSources(empty())).toEqual([])
    expect(await readQuarantine(empty(), 'docs')).toEqual(new Map())
    expect(await countSource(empty(), 'docs')).toEqual({ pages: 0, chunks: 0, links: 0, quarantined: 0, runs: 0 })
    expect(await readRuns(empty(), { limit: 5 })).toEqual([])
    expect(await all(readPages(empty(), 'docs', null, signal))).toEqual([])
  })

  test('shows every source that is asked for as one that was never looked at', async () => {
    const unknown = {
      bookmark: null,
      dirty: false,
      lastStatus: null,
      lastCheckedAt: null,
      lastSyncedAt: null,
      sinceCheckMs: null,
      behindMs: null,
      quarantined: 0,
      nothingSelected: null,
      fingerprint: null,
      index: null,
      lastRun: null,
      lastSettings: null,
      embedFailure: null,
      lease: null,
      searchLease: null,
    }
    expect(await readStatus(scriptedDatabase(NO_TABLES[0]!).db, ['a', 'b'])).toEqual([
      { id: 'a', ...unknown },
      { id: 'b', ...unknown },
    ])
    const { db, sent } = scriptedDatabase([{ id: 'a' }])
    expect(await readStatus(db, ['a'])).toEqual([{ id: 'a' }])
    expect(sent[0]!.params).toEqual([['a']])
  })
})

test('a source that the database does not have is not up to date, and has no bookmark', async () => {
  const source = {
    id: 'docs',
    repo: '/repo',
    ref: 'HEAD',
    fingerprint: 'f',
    settings: 's',
    language: 'english',
    linkRoot: '',
  }
  const { db, sent } = scriptedDatabase([], [{ bookmark: 'a', upToDate: true, indexed: true }])
  expect(await recordCheck(db, source, 'abc')).toMatchObject({ bookmark: null, upToDate: false, indexed: false })
  expect(await recordCheck(db, source, 'abc')).toEqual({ bookmark: 'a', upToDate: true, indexed: true })
  const look = [{ id: 'docs', commit: 'abc', fingerprint: 'f', language: 'english' }]
  expect(sent[0]!.params).toEqual([JSON.stringify(look), expect.any(Number)])
  const ages = { lookedMsAgo: 5, elapsedMs: 7 }
  const outcome = { status: 'partial', reason: 'timeout' } as const
  expect(await recordEarlyEnd(scriptedDatabase([]).db, 'docs', outcome, ages)).toBeNull()
  const failed = scriptedDatabase([{ bookmark: 'a' }])
  expect(await recordEarlyEnd(failed.db, 'docs', outcome, ages)).toBe('a')
  expect(failed.sent[0]!.params.slice(0, 7)).toEqual(['docs', 5, 7, 'partial', 'timeout', null, null])
})

test('runs are asked for of one source or of all, failed or not', async () => {
  const { db, sent } = scriptedDatabase()
  await readRuns(db, { limit: 5 })
  await readRuns(db, { source: 'docs', limit: 6, failed: true })
  expect(sent.map(({ params }) => params)).toEqual([
    [null, 5, false],
    ['docs', 6, true],
  ])
})

test('files in quarantine are found by their paths', async () => {
  const row = { path: 'a.md', blobOid: 'f00', parserVersion: 1 }
  const { db, sent } = scriptedDatabase([row])
  expect(await readQuarantine(db, 'docs')).toEqual(new Map([['a.md', row]]))
  expect(sent[0]!.params).toEqual(['docs'])
})

describe('the pages of a source', () => {
  const rows = (n: number, from = 0) => Array.from({ length: n }, (_, i) => ({ path: `${from + i}.md` }))

  test('are read a thousand at a time, each time behind the last', async () => {
    const { db, sent } = scriptedDatabase(rows(1_000), rows(1_000, 1_000), rows(3, 2_000))
    const pages = await all(readPages(db, 'docs', null, signal))
    expect(pages.map(({ length }) => length)).toEqual([1_000, 1_000, 3])
    expect(sent.map(({ params }) => params)).toEqual([
      ['docs', '', 1_000, null],
      ['docs', '999.md', 1_000, null],
      ['docs', '1999.md', 1_000, null],
    ])
    const even = scriptedDatabase(rows(1_000))
    expect(await all(readPages(even.db, 'docs', null, signal))).toHaveLength(1)
    expect(even.sent).toHaveLength(2)
  })

  test('at some paths are asked for a thousand at a time, and may be none', async () => {
    const paths = rows(2_001).map(({ path }) => path)
    const { db, sent } = scriptedDatabase(rows(1), [], rows(1))
    expect(await all(readPagesAt(db, 'docs', paths, signal))).toHaveLength(2)
    expect(sent.map(({ params }) => JSON.parse(params[1] as string).length)).toEqual([1_000, 1_000, 1])
    expect(sent.flatMap(({ params }) => JSON.parse(params[1] as string))).toEqual(paths)
    const exact = scriptedDatabase()
    await all(readPagesAt(exact.db, 'docs', paths.slice(0, 1_000), signal))
    expect(exact.sent).toHaveLength(1)
  })

  test('are read no further when the run has stopped', async () => {
    for (const read of [
      (db: never, stop: AbortSignal) => readPages(db, 'docs', null, stop),
      (db: never, stop: AbortSignal) =>
        readPagesAt(
          db,
          'docs',
          rows(2_000).map(({ path }) => path),
          stop,
        ),
    ]) {
      const stop = new AbortController()
      const { db, sent } = scriptedDatabase(rows(1_000), rows(1_000))
      const reading = async () => {
        for await (const _ of read(db as never, stop.signal)) stop.abort(new Error('enough'))
      }
      await expect(reading()).rejects.toThrow('enough')
      expect(sent).toHaveLength(1)
    }
  })

  test('are counted', async () => {
    const { db, sent } = scriptedDatabase([{ count: 7 }])
    expect(await countPages(db, 'docs')).toBe(7)
    expect(sent[0]!.params).toEqual(['docs'])
  })
})

describe('a page that is not there', () => {
  test('is told with the paths that come nearest', async () => {
    const { db, sent } = scriptedDatabase([], [{ path: 'guide/start.md' }, { path: 'start.md' }])
    await expect(readPage(db, 'docs', 'guides/start')).rejects.toMatchObject({
      code: 'PAGE_NOT_FOUND',
      message: '"docs" has no page guides/start',
      hint: 'Did you mean guide/start.md or start.md?',
    })
    expect(sent[1]!.params).toEqual(['docs', 'guides/start', 'start'])
    const top = scriptedDatabase()
    await expect(readPage(top.db, 'docs', 'start')).rejects.toMatchObject({
      hint: 'Find pages by their words: tidemark search <words>',
    })
    expect(top.sent[1]!.params).toEqual(['docs', 'start', 'start'])
  })

  test('is looked for only then', async () => {
    const { db, sent } = scriptedDatabase([{ path: 'a.md' }])
    expect(await readPage(db, 'docs', 'a.md')).toEqual({ path: 'a.md' })
    expect(sent.map(({ params }) => params)).toEqual([['docs', 'a.md']])
  })
})

describe('migrate', () => {
  const withLocks = (version: number | null | Error, locks: object, ...more: Error[]) => {
    const { db, sent } = scriptedDatabase(version instanceof Error ? version : [{ version }], ...more)
    return { db: Object.assign(db, { locks }), sent }
  }
  const locks = { migrate: async () => {}, list: async () => [], migrationSql: () => 'the SQL of the leases' }
  const current = 10

  test('of what is up to date looks once, and makes what is not there', async () => {
    const done = withLocks(current, locks)
    await migrate(done.db)
    expect(done.sent).toHaveLength(1)
    for (const version of [null, 1, NO_TABLES[1]!]) {
      const { db, sent } = withLocks(version, locks)
      await migrate(db)
      expect(sent.map(({ text }) => text.startsWith('DO $migrate$'))).toEqual([false, true])
    }
  })

  test('of a schema that a newer program has made is refused', async () => {
    const refused = {
      code: 'DATABASE_NEWER',
      message: `postgres at here was migrated by a newer tidemark (schema ${current + 1}, this one knows ${current})`,
      hint: expect.stringContaining('Update tidemark'),
    }
    await expect(migrate(withLocks(current + 1, locks).db)).rejects.toMatchObject(refused)
    await expect(pendingMigrations(withLocks(current + 1, locks).db)).rejects.toMatchObject(refused)
  })

  test.each([
    ['of the database', coded('42501', 'permission denied')],
    ['of the leases', Object.assign(new Error('permission denied'), { cause: coded('42501') })],
  ])('without the right says which one is missing: %s', async (_, error) => {
    await expect(migrate(withLocks(null, locks, error).db)).rejects.toMatchObject({
      code: 'DATABASE_REFUSED',
      message: 'postgres at here: permission denied',
      hint: expect.stringContaining('GRANT USAGE'),
      cause: error,
    })
  })

  test('that fails otherwise says so as it is', async () => {
    for (const error of [coded('53100'), new Error('x', { cause: coded('53100') })])
      await expect(migrate(withLocks(null, locks, error).db)).rejects.toBe(error)
  })

  test('that is told to end says that and nothing else', async () => {
    const stop = new AbortController()
    const stopped = withLocks(null, {
      async migrate(options: object) {
        expect(options).toEqual({ signal: stop.signal })
        stop.abort(new Error('enough'))
        throw coded('42501')
      },
    })
    await expect(migrate(stopped.db, { signal: stop.signal })).rejects.toThrow('enough')
    const { db, sent } = withLocks(null, locks)
    const { signal } = new AbortController()
    await migrate(db, { signal })
    expect(sent.map((each) => each.signal)).toEqual([signal, signal])
  })

  test('shows the statements that it would run now', async () => {
    expect(await pendingMigrations(withLocks(current, locks).db)).toEqual([])
    expect(await pendingMigrations(withLocks(null, locks).db)).toEqual([expect.stringContaining('DO $migrate$')])
    const none = { ...locks, list: () => Promise.reject(coded('LOCK_NOT_MIGRATED')) }
    expect(await pendingMigrations(withLocks(null, none).db)).toEqual([
      'the SQL of the leases',
      expect.stringContaining('DO $migrate$'),
    ])
    expect(await pendingMigrations(withLocks(current, none).db)).toEqual(['the SQL of the leases'])
    const down = { ...locks, list: () => Promise.reject(coded('LOCK_FAILED')) }
    await expect(pendingMigrations(withLocks(null, down).db)).rejects.toMatchObject({ code: 'LOCK_FAILED' })
  })
})
