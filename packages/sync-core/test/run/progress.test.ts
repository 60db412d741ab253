import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { type Progress, startProgress } from '../../src/run/progress.ts'

const counts = (imported = 0, updated = 0, renamed = 0, deleted = 0, quarantined = 0) => ({
  filesImported: imported,
  filesUpdated: updated,
  filesRenamed: renamed,
  filesDeleted: deleted,
  filesQuarantined: quarantined,
})
const NONE = { symlinks: 0, submodules: 0 }

function watched() {
  const reports: Progress[] = []
  const progress = startProgress('docs', (report) => reports.push(report))
  return { progress, reports, last: () => reports.at(-1)! }
}

describe('a run reports', () => {
  test('each phase as it begins, and what comes of it', async () => {
    const { progress, reports } = watched()
    progress.report()
    expect(await progress.phase('fetch', async () => 'fetched')).toBe('fetched')
    await expect(progress.phase('apply', () => Promise.reject(new Error('down')))).rejects.toThrow('down')
    expect(reports).toEqual(
      ['plan', 'fetch', 'apply'].map((phase) => ({
        source: 'docs',
        phase,
        done: 0,
        total: null,
        elapsedMs: expect.any(Number),
      })),
    )
  })

  test('the files of its plan, and how many of them are settled', () => {
    const { progress, last } = watched()
    progress.setPlan({ counts: counts(3, 2, 1, 4, 5), skipped: NONE, nothingSelected: null })
    expect(last()).toMatchObject({ done: 0, total: 15 })
    expect(progress.filesRemaining).toBe(15)
    progress.countBatch(counts(1, 0, 0, 0, 2), [])
    expect(last()).toMatchObject({ done: 3, total: 15 })
    progress.countBatch(counts(1, 2, 1, 0, 0), [])
    expect(last()).toMatchObject({ done: 7, total: 15 })
    expect(progress.filesRemaining).toBe(8)
    expect(progress.counts()).toMatchObject({ ...counts(2, 2, 1, 0, 2), filesRemaining: 8 })
  })

  test('how many pages can be found by search, while it indexes them', async () => {
    const { progress, reports } = watched()
    progress.setPlan({ counts: counts(9), skipped: NONE, nothingSelected: null })
    await progress.phase('search', async () => {
      progress.countIndexed(5, 9)
      progress.countIndexed(9, 9)
    })
    expect(reports.map(({ phase, done, total }) => [phase, done, total]).slice(1)).toEqual([
      ['search', 0, null],
      ['search', 5, 9],
      ['search', 9, 9],
    ])
  })

  test('what it has settled where it knows no plan', () => {
    const { progress, last } = watched()
    progress.countBatch(counts(1), [])
    expect(last()).toMatchObject({ done: 1, total: null })
    expect(progress.filesRemaining).toBeNull()
  })
})

describe('the result of a run', () => {
  test('has the time of each phase, also of one that failed and of one that came twice', async () => {
    const { progress } = watched()
    await progress.phase('fetch', () => sleep(30))
    await progress.phase('fetch', () => sleep(30))
    await progress.phase('search', () => sleep(30).then(() => Promise.reject(new Error('down')))).catch(() => {})
    const { phases, elapsedMs } = progress.result({ status: 'synced' })
    expect(phases).toMatchObject({ lock: 0, plan: 0, apply: 0 })
    // A timer may fire a millisecond early.
    expect(phases.fetch).toBeGreaterThanOrEqual(58)
    expect(phases.search).toBeGreaterThanOrEqual(29)
    expect(elapsedMs).toBeGreaterThanOrEqual(phases.fetch + phases.search - 2)
    expect(elapsedMs).toBeLessThan(30_000)
    expect(Number.isInteger(elapsedMs)).toBe(true)
    expect(performance.now() - progress.lookedAt).toBeGreaterThanOrEqual(elapsedMs - 1)
  })

  test('has its status, its commits and its counts', () => {
    const { progress } = watched()
    Object.assign(progress, { bookmark: 'a', target: 'b' })
    progress.countRead()
    progress.countRead()
    expect(progress.result({ status: 'partial', reason: 'timeout' })).toEqual({
      source: 'docs',
      status: 'partial',
      reason: 'timeout',
      bookmark: 'a',
      target: 'b',
      ...counts(),
      filesRemaining: null,
      blobsRead: 2,
      elapsedMs: expect.any(Number),
      phases: { lock: 0, fetch: 0, plan: 0, apply: 0, search: 0 },
      warnings: [],
    })
  })

  test('of a dry run counts its plan as if it were done', () => {
    const { progress } = watched()
    const plan = { counts: counts(3, 2), skipped: NONE, nothingSelected: null }
    progress.setPlan(plan)
    progress.countPlan(plan)
    expect(progress.result({ status: 'dry_run' })).toMatchObject({ ...counts(3, 2), filesRemaining: 5 })
  })

  test.each([
    [{ symlinks: 1, submodules: 0 }, ['1 symlinks to Markdown, 0 submodules']],
    [{ symlinks: 2, submodules: 3 }, ['2 symlinks to Markdown, 3 submodules']],
    [NONE, []],
  ])('warns of what is no file of the repository: %j', (skipped, expected) => {
    const { progress } = watched()
    progress.setPlan({ counts: counts(), skipped, nothingSelected: null })
    expect(progress.result({ status: 'synced' }).warnings).toEqual(
      expected.map((what) => ({ code: 'skipped', message: `skipped as not being files of the repository: ${what}` })),
    )
  })
})

describe('the paths that the search index may lack', () => {
  const pages = (n: number) => Array.from({ length: n }, (_, i) => ({ path: `${i}.md` }))

  test('are those of each batch, until there are more than 10,000', () => {
    const { progress } = watched()
    progress.unindexedPaths = ['before.md']
    progress.countBatch(counts(2), pages(2))
    expect(progress.unindexedPaths).toEqual(['before.md', '0.md', '1.md'])
    progress.countBatch(counts(9_997), pages(9_997))
    expect(progress.unindexedPaths).toHaveLength(10_000)
    progress.countBatch(counts(1), pages(1))
    expect(progress.unindexedPaths).toBe('all')
    progress.countBatch(counts(1), pages(1))
    expect(progress.unindexedPaths).toBe('all')
  })

  test('are none where the index lacks none before it is written', () => {
    const { progress } = watched()
    progress.countBatch(counts(1), pages(1))
    expect(progress.unindexedPaths).toBeNull()
  })
})
