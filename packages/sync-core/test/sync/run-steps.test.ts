import type { Lease } from '@tidemark/lock'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Database, type SyncOptions, syncSource } from '../../src/index.ts'
import { PARSER_VERSION } from '../../src/parse/parser-version.ts'
import type { SourceCheck } from '../../src/store/record-check.ts'
import type { StartedRun } from '../../src/store/start-run.ts'
import { coded } from '../world/scripted-database.ts'
import { emptyRepository, type TestRepository } from '../world/test-repository.ts'

let repository: TestRepository
let [before, after] = ['', '']
let stored: Record<string, string>
beforeAll(async () => {
  repository = await emptyRepository()
  before = await repository.commit({ 'a.md': 'a', 'b.md': 'b' })
  stored = await repository.tree()
  await repository.git.raw('branch', 'before')
  after = await repository.commit({ 'a.md': 'a', 'b.md': 'changed' })
  await repository.git.raw('branch', 'after')
  await repository.git.raw('branch', 'moving')
  await repository.commit({ 'a.txt': 'no page' })
  await repository.git.raw('branch', 'none')
})
afterAll(() => repository.remove())

/** What each statement of a run is for, by a part of it. */
const STEPS: readonly (readonly [part: string, step: string])[] = [
  ['last_checked_at AS "lastCheckedAt"', 'read source'],
  ['RETURNING source.id, source.bookmark', 'check'],
  ['$9::integer)\n)\nSELECT bookmark', 'record early end'],
  ['INSERT INTO tidemark.runs', 'start'],
  ['AS "parserVersion" FROM tidemark.quarantine', 'read quarantine'],
  ['json_array_elements_text($2::json) COLLATE', 'read changed pages'],
  ['path > $2', 'read all pages'],
  ['AS count FROM tidemark.pages', 'count pages'],
  ['count(*)::integer FROM tidemark.files', 'count files'],
  ['ANALYZE tidemark.pages', 'index all'],
  ['SELECT unindexed_since_run', 'index'],
  ['INSERT INTO tidemark.files', 'write files'],
  ['visited.page_id', 'delete orphans'],
  ['quarantine', 'write batch'],
  ['bookmark = $5', 'finish'],
  ['last_status = $5', 'record end'],
]

interface Given extends SyncOptions {
  readonly ref?: string
  /** What the database remembers of the source: that its pages are those of the commit `before`, where nothing is said. */
  readonly known?: Partial<SourceCheck>
  readonly started?: Partial<StartedRun>
  /** Is called for each step before it is done, and may throw. */
  readonly on?: (step: string) => unknown
  readonly busy?: boolean
}

/** Runs a sync of a real repository into a database that only answers, and tells its steps. */
async function run({ ref = 'after', known, started, on, busy, ...options }: Given = {}) {
  const steps: string[] = []
  const sent: Record<string, unknown[]> = {}
  const step = async (name: string, params: unknown[] = []) => {
    steps.push(name)
    sent[name] = params
    await on?.(name)
  }
  const check = () => ({ bookmark: before, upToDate: false, indexed: true, nothingSelected: null, ...known })
  const { bookmark } = check()
  const start = { id: '7', unfinished: false, sameSettings: true, rewriteBefore: null, indexed: true, ...started }
  const pages = Object.entries(stored).map(([path, blobOid]) => ({
    id: '1',
    path,
    blobOid,
    parserVersion: PARSER_VERSION,
  }))
  const rows: Record<string, unknown[]> = {
    'read source': [{ bookmark }],
    'record early end': [{ bookmark }],
    start: [start],
    'read all pages': bookmark === null ? [] : pages,
    'count pages': [{ count: pages.length }],
    'read quarantine': [],
    'delete orphans': [{ last: null }],
  }
  const query = async (text: string, params: any[] = []) => {
    const name = STEPS.find(([part]) => text.includes(part))?.[1]
    if (name) await step(name, params)
    if (text.includes('chunk.heading_path')) sent.indexed = params.slice(5)
    if (name === 'check') return { rows: [check()] }
    if (name === 'read changed pages') return { rows: pages.filter(({ path }) => params[1].includes(path)) }
    return { rows: text.includes('chunk.heading_path') ? [] : (rows[name ?? ''] ?? [{}]) }
  }
  const { signal } = new AbortController()
  const release = async () => step('release')
  const lease = { key: 'k', signal, fenceSql: () => ({ text: '', params: [1, 2] }), assertHeld() {}, release }
  const holder = { host: 'there', pid: 7 }
  const locks = {
    async tryAcquire(key: string) {
      await step(`acquire ${key}`)
      return busy ? { acquired: false, holder, heldForMs: 1, sinceRefreshMs: 2 } : { acquired: true, lease }
    },
    async acquire(key: string, given: { waitMs: number }): Promise<Lease> {
      await step(`wait for ${key}`, [given.waitMs])
      return lease as unknown as Lease
    },
    break: (key: string, given: { maxAgeMs: number }) => step(`break ${key}`, [given.maxAgeMs]),
  }
  const db = { engine: 'postgres', name: 'here', query, locks } as unknown as Database
  const result = await syncSource(db, { id: 'docs', repo: repository.folder, ref }, options)
  return { result, steps, sent }
}

const WRITTEN = ['start', 'read quarantine', 'read changed pages', 'write batch', 'write files', 'finish']
const INDEXED = ['acquire search:docs', 'index', 'release']

describe('a run', () => {
  test('that finds nothing new looks and does no more', async () => {
    const { result, steps } = await run({ ref: 'before', known: { upToDate: true } })
    expect(steps).toEqual(['check'])
    expect(result).toMatchObject({ status: 'up_to_date', bookmark: before, target: before, filesRemaining: 0 })
    expect(result.warnings).toEqual([])
    const none = await run({ ref: 'before', known: { upToDate: true, nothingSelected: 'no files' } })
    expect(none.result.warnings).toMatchObject([{ code: 'nothing_selected', message: 'no files' }])
  })

  test('that finds nothing new does what the search index lacks, if it may', async () => {
    const known = { upToDate: true, indexed: false }
    expect((await run({ known })).steps).toEqual(['check', 'acquire search:docs', 'index', 'index all', 'release'])
    expect((await run({ known, search: false })).steps).toEqual(['check'])
  })

  test('goes from its look to its bookmark, and gives back its lease before the search index follows', async () => {
    const { result, steps, sent } = await run()
    expect(steps).toEqual(['check', 'acquire sync:docs', 'check', ...WRITTEN, 'release', ...INDEXED])
    expect(result).toMatchObject({ status: 'synced', bookmark: after, target: after, filesUpdated: 1, warnings: [] })
    expect(sent.start!.slice(5, 7)).toEqual([before, after])
    expect(sent.start![9]).toBe(false)
    expect(sent.finish!.slice(2, 6)).toEqual(['docs', '7', after, 'synced'])
    expect(JSON.parse(sent.finish![6] as string)).toMatchObject({ filesUpdated: 1, filesRemaining: 0 })
    expect(sent.finish!.at(-1)).toBeNull()
    expect(sent.indexed).toEqual(['["b.md"]'])
  })

  test('that is the first has no bookmark before, and reads all', async () => {
    const known = { bookmark: null, indexed: false }
    const { result, steps, sent } = await run({ known, started: { sameSettings: false, indexed: false } })
    expect(steps).toContain('read all pages')
    expect(steps.slice(-4)).toEqual(['acquire search:docs', 'index', 'index all', 'release'])
    expect(result).toMatchObject({ status: 'first_sync', bookmark: after, filesImported: 2 })
    expect(sent.start![5]).toBeNull()
    expect(sent.finish![5]).toBe('first_sync')
    expect(sent.indexed).toEqual([])
  })

  test('reports each phase', async () => {
    const phases: string[] = []
    const { result } = await run({ onProgress: ({ phase }) => phases.push(phase) })
    expect([...new Set(phases)]).toEqual(['plan', 'lock', 'apply', 'search'])
    expect(result.phases).toMatchObject({ fetch: 0 })
  })

  test('that goes on for longer than it may stand still is not stopped, while there is progress', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const onProgress = () => void vi.advanceTimersByTime(200)
      expect((await run({ stallMs: 300, onProgress })).result).toMatchObject({ status: 'synced' })
      const on = (step: string) => void (step === 'start' && vi.advanceTimersByTime(300))
      expect((await run({ stallMs: 300, on })).result).toMatchObject({ status: 'partial', reason: 'stalled' })
    } finally {
      vi.useRealTimers()
    }
  })

  test('that has nothing of a commit says so with the bookmark', async () => {
    const { result, sent } = await run({ ref: 'none', allowMassDelete: true })
    const why = 'none of its files is Markdown: there are .txt 1'
    expect(result).toMatchObject({ status: 'synced', warnings: [{ code: 'nothing_selected', message: why }] })
    expect(sent.finish!.at(-1)).toBe(why)
  })
})

describe('a run compares everywhere', () => {
  test.each<[string, Given]>([
    ['after a change of the settings', { started: { sameSettings: false } }],
    ['after one that was stopped', { started: { unfinished: true } }],
    ['where it has no file so far', { known: { nothingSelected: 'no files' } }],
    ['to try again what is in quarantine', { retryQuarantined: true }],
    ['where the commit of its bookmark is gone', { known: { bookmark: 'f00'.padEnd(40, '0') } }],
    ['in a dry run', { dryRun: true }],
  ])('%s', async (_, given) => {
    const { steps } = await run(given)
    expect(steps).toContain('read all pages')
    expect(steps).not.toContain('read changed pages')
    expect(steps).not.toContain('delete orphans')
  })

  test('to write every page again, and deletes what is left of others', async () => {
    const rewriteBefore = new Date()
    const { steps, sent, result } = await run({ full: true, started: { rewriteBefore } })
    expect(sent.start![9]).toBe(true)
    expect(sent['read all pages']!.at(-1)).toBe(rewriteBefore)
    expect(steps).toContain('delete orphans')
    expect(steps.indexOf('delete orphans')).toBeLessThan(steps.indexOf('write batch'))
    expect(result.status).toBe('synced')
  })
})

describe('a run that is up to date goes on all the same', () => {
  test.each<[string, SyncOptions]>([
    ['to write every page again', { full: true }],
    ['to try again what is in quarantine', { retryQuarantined: true }],
  ])('%s', async (_, options) => {
    const { steps, result } = await run({ ref: 'before', known: { upToDate: true }, ...options })
    expect(steps).toContain('finish')
    expect(result.status).toBe('synced')
  })
})

describe('a dry run', () => {
  test('reads, takes no lease, and tells what a sync would do', async () => {
    const changes: unknown[] = []
    const { result, steps } = await run({ dryRun: true, onPlan: (plan) => changes.push(...plan) })
    expect(steps).toEqual(['read source', 'read quarantine', 'read all pages'])
    expect(changes).toEqual([{ change: 'update', path: 'b.md' }])
    expect(result).toMatchObject({ status: 'dry_run', bookmark: before, target: after, filesUpdated: 1 })
  })

  test('of a full sync has every page written again', async () => {
    const { result, sent } = await run({ dryRun: true, full: true })
    expect(result.status).toBe('dry_run')
    expect((sent['read all pages']!.at(-1) as Date).getFullYear()).toBe(9999)
    expect((await run({ dryRun: true })).sent['read all pages']!.at(-1)).toBeNull()
  })

  test('warns of what a person must allow, allowed or not', async () => {
    const { result } = await run({ dryRun: true, ref: 'none', allowMassDelete: true })
    expect(result.warnings.map(({ code }) => code)).toContain('mass_delete')
  })

  test('that fails records nothing, and knows its bookmark', async () => {
    const { result, steps } = await run({ dryRun: true, ref: 'mian' })
    expect(result).toMatchObject({ status: 'failed', bookmark: before, error: { code: 'REF_NOT_FOUND' } })
    expect(steps).toEqual(['read source'])
  })
})

describe('a lease', () => {
  test('that another has ends a run as busy', async () => {
    const { result, steps } = await run({ busy: true })
    expect(result).toMatchObject({ status: 'busy', holder: { host: 'there', pid: 7 } })
    expect(steps).toEqual(['check', 'acquire sync:docs'])
  })

  test('is broken first where it is stale and the run is told to', async () => {
    const { steps, sent } = await run({ breakLockIfStaleMs: 5_000 })
    expect(steps.slice(0, 3)).toEqual(['break sync:docs', 'check', 'acquire sync:docs'])
    const nothingNew = await run({ ref: 'before', known: { upToDate: true }, breakLockIfStaleMs: 5_000 })
    expect(nothingNew.steps).toEqual(['break sync:docs', 'check'])
    expect(sent['break sync:docs']).toEqual([5_000])
  })

  test('that was waited for has the ref and the bookmark looked at once more', async () => {
    const { git } = repository
    const on = (step: string) => step.startsWith('wait') && git.raw('update-ref', 'refs/heads/moving', before)
    const { result, steps, sent } = await run({ ref: 'moving', waitMs: 9_000, on })
    expect(sent['wait for sync:docs']).toEqual([9_000])
    expect(steps.slice(0, 4)).toEqual(['check', 'wait for sync:docs', 'check', 'start'])
    expect(result).toMatchObject({ status: 'synced', target: before })
  })

  test('that was got when another run had done it all is given back', async () => {
    let upToDate = false
    const known = {
      get upToDate() {
        return upToDate
      },
    }
    const on = (step: string) => {
      upToDate ||= step.startsWith('acquire')
    }
    const { result, steps } = await run({ known, on })
    expect(steps).toEqual(['check', 'acquire sync:docs', 'check', 'release'])
    expect(result).toMatchObject({ status: 'up_to_date', filesRemaining: 0 })
  })
})

describe('a run that cannot end as it should', () => {
  const down = coded('53100', 'no space left')
  const failAt = (...names: string[]) => ({
    on(step: string) {
      if (names.includes(step)) throw down
    },
  })

  test('is blocked before anything is written, and says so in its record', async () => {
    const { result, steps, sent } = await run({ ref: 'none' })
    expect(result).toMatchObject({ status: 'blocked', reason: 'mass_delete', bookmark: before, filesRemaining: 2 })
    expect(steps).not.toContain('write batch')
    expect(sent['record end']!.slice(2, 6)).toEqual(['docs', '7', 'blocked', 'mass_delete'])
    expect(steps.slice(-2)).toEqual(['record end', 'release'])
    expect((await run({ ref: 'none', allowMassDelete: true })).steps).toContain('finish')
  })

  test('tells its fault and records it, whether or not it can', async () => {
    const failed = { status: 'failed', bookmark: before, error: { code: 'DATABASE_FAILED' } }
    const { result, steps, sent } = await run(failAt('write batch'))
    expect(result).toMatchObject(failed)
    expect(sent['record end']![4]).toBe('failed')
    expect(steps.slice(-2)).toEqual(['record end', 'release'])
    expect((await run(failAt('write batch', 'record end'))).result).toMatchObject(failed)
  })

  test('before it has begun records that, with the bookmark that is in, whether or not it can', async () => {
    const { result, steps } = await run({ ref: 'mian' })
    expect(steps).toEqual(['record early end'])
    expect(result).toMatchObject({ status: 'failed', bookmark: before, target: null })
    const unrecorded = await run({ ref: 'mian', ...failAt('record early end') })
    expect(unrecorded.result).toMatchObject({ status: 'failed', bookmark: null, error: { code: 'REF_NOT_FOUND' } })
  })

  test('lets stand what another has recorded since its last look', async () => {
    let now = performance.now()
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now)
    const on = (step: string) => {
      now += step === 'check' ? 1_000 : 7
      if (step.startsWith('acquire')) throw down
    }
    const { sent } = await run({ on })
    clock.mockRestore()
    expect(sent['record early end']!.slice(0, 2)).toEqual(['docs', 7])
  })

  test('because it is stopped before it looks knows its bookmark, and is recorded as that', async () => {
    const stopped = { status: 'partial', reason: 'cancelled', bookmark: before }
    const { result, steps, sent } = await run({ signal: AbortSignal.abort() })
    expect(steps).toEqual(['record early end'])
    expect(sent['record early end']!.slice(3, 5)).toEqual(['partial', 'cancelled'])
    expect(result).toMatchObject({ ...stopped, target: null })
    const stop = new AbortController()
    const on = (step: string) => {
      if (!step.startsWith('acquire')) return
      stop.abort()
      throw down
    }
    const later = await run({ signal: stop.signal, on })
    expect(later.result).toMatchObject(stopped)
    expect(later.steps).not.toContain('read source')
  })

  test('only for the search index says so, and is done', async () => {
    const { result } = await run(failAt('index'))
    const warnings = [{ code: 'search_behind', message: 'the search index lacks some pages still: no space left' }]
    expect(result).toMatchObject({ status: 'synced', bookmark: after, warnings })
  })

  test('leaves the search index alone', async () => {
    for (const given of [{ ref: 'none' }, { busy: true }, { dryRun: true }, failAt('finish')])
      expect((await run(given)).steps).not.toContain('acquire search:docs')
  })
})
