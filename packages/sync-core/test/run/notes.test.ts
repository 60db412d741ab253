import { describe, expect, test } from 'vitest'
import type { EmbedResult, SyncResult } from '../../src/index.ts'
import {
  emptyEmbedResult,
  emptyResult,
  type SyncStatus,
  severityFromStatus,
  statusText,
  worstStatus,
} from '../../src/index.ts'
import { noEmbedCounts } from '../../src/run/embed-result.ts'
import { countRun, holderText, leaseProblem, resultNotes, resultProblem, runsLeft } from '../../src/run/next-steps.ts'

const sync = (more: object = {}): SyncResult =>
  ({ ...emptyResult('docs', { status: 'partial', reason: 'timeout' }), ...more }) as SyncResult
const embed = (more: object = {}): EmbedResult =>
  ({ ...emptyEmbedResult('docs', 'model-1', { status: 'partial', reason: 'cancelled' }), ...more }) as EmbedResult

describe('what a run has settled', () => {
  test('is what it did with files, those set aside among them', () => {
    const counts = {
      filesImported: 1,
      filesUpdated: 20,
      filesRenamed: 300,
      filesDeleted: 4_000,
      filesQuarantined: 50_000,
    }
    expect(countRun(sync({ ...counts, filesRemaining: 7 }))).toEqual({
      work: 'sync',
      done: 54_321,
      quarantined: 50_000,
      left: 7,
    })
  })

  test('is what it did with texts, those refused among them', () => {
    expect(countRun(embed({ chunksEmbedded: 10, chunksQuarantined: 2, chunksRemaining: 5 }))).toEqual({
      work: 'embed',
      done: 12,
      quarantined: 2,
      left: 5,
    })
  })

  test.each([
    [10, 10, 1],
    [10, 11, 2],
    [10, 0, 0],
    [3, 100, 34],
    [0, 10, null],
    [10, null, null],
  ])('%j with %j left makes %j more runs', (filesImported, filesRemaining, runs) => {
    expect(runsLeft(sync({ filesImported, filesRemaining }))).toBe(runs)
  })
})

describe('a person is told', () => {
  const goesOn = 'What is in stays in; the next run goes on from there.'
  test.each<[SyncResult | EmbedResult, string, string]>([
    [
      sync({ filesImported: 10, filesRemaining: 25 }),
      'partial (timeout)',
      '25 files are left, about 3 more runs like this one',
    ],
    [
      sync({ filesImported: 10, filesRemaining: 5 }),
      'partial (timeout)',
      '5 files are left, about 1 more run like this one',
    ],
    [sync({ filesRemaining: 25 }), 'partial (timeout)', '25 files are left'],
    [sync(), 'partial (timeout)', 'It stopped before it knew how much there is'],
    [
      embed({ chunksEmbedded: 10, chunksRemaining: 25 }),
      'partial (cancelled)',
      '25 texts are left, about 3 more runs like this one',
    ],
  ])('of a run that was stopped what is left: %#', (result, title, message) => {
    expect(resultNotes(result)).toEqual([{ severity: 'notice', title, message, nextStep: goesOn }])
  })

  test.each<[SyncStatus, object, string, string]>([
    [
      'failed',
      { reason: 'git_failed', error: { code: 'GIT_FAILED', message: 'm', hint: 'h' } },
      'error',
      'failed (git_failed)',
    ],
    ['blocked', { reason: 'mass_delete' }, 'error', 'blocked (mass_delete)'],
    ['blocked_by_failures', { reason: undefined }, 'error', 'blocked_by_failures (undefined)'],
    ['busy', { holder: { host: 'here', pid: 7, heldForMs: 1, sinceRefreshMs: 1 } }, 'warning', 'busy (timeout)'],
  ])('of a run that is %s, and how grave that is', (status, more, severity, title) => {
    const result = sync({ status, ...more })
    expect(resultProblem(result)).not.toBeNull()
    expect(resultNotes(result)).toMatchObject([{ severity, title, ...resultProblem(result) }])
  })

  test('nothing of a run that went well', () => {
    for (const status of ['synced', 'first_sync', 'up_to_date', 'dry_run'] as const)
      expect(resultNotes(sync({ status }))).toEqual([])
  })

  test.each([
    [1, '1 file was set aside'],
    [2, '2 files were set aside'],
  ])('of %i files that were set aside, and why', (filesQuarantined, title) => {
    expect(resultNotes(sync({ status: 'synced', filesQuarantined }))).toEqual([
      {
        severity: 'warning',
        title,
        message: `${title}, the rest is in`,
        nextStep: 'Why: tidemark quarantine --source docs',
      },
    ])
  })

  test('of texts that were refused, beside how the run ended, and not where that is told already', () => {
    const more = { chunksEmbedded: 1, chunksQuarantined: 1, chunksRemaining: null }
    expect(resultNotes(embed(more)).map(({ title, nextStep }) => [title, nextStep])).toEqual([
      ['partial (cancelled)', goesOn],
      ['1 text was refused', 'Why: SELECT model, message FROM tidemark.embedding_quarantine'],
    ])
    expect(resultNotes(embed({ ...more, status: 'blocked_by_failures' }))).toHaveLength(1)
  })
})

describe('a holder', () => {
  test('is a process on a host, or another process where either is not known', () => {
    expect(holderText({ host: 'here', pid: 7 })).toBe('process 7 on here')
    expect(holderText({ host: null, pid: 7 })).toBe('another process')
    expect(holderText({ host: 'here', pid: null })).toBe('another process')
  })

  test('that was silent for longer than a lease lasts is a problem', () => {
    const holder = (sinceRefreshMs: number | null) => ({ host: 'here', pid: 7, sinceRefreshMs })
    expect(leaseProblem(holder(45_000), 'docs', 'sync')).toBeNull()
    expect(leaseProblem(holder(null), 'docs', 'sync')).toBeNull()
    expect(leaseProblem(holder(45_001), 'docs', 'embed')).toEqual({
      message: 'process 7 on here holds its lease and shows no sign of life',
      nextStep: 'tidemark locks break embed:docs --max-age 45s',
    })
  })
})

describe('a status', () => {
  test('of several sources is the first that someone should look at', () => {
    const worst = (...statuses: SyncStatus[]) => worstStatus(statuses.map((status) => ({ status })))
    expect(worst()).toBe('up_to_date')
    expect(worst('up_to_date', 'synced', 'first_sync')).toBe('first_sync')
    expect(worst('synced', 'partial', 'busy')).toBe('busy')
    expect(worst('blocked', 'failed', 'busy')).toBe('failed')
  })

  test('is grave where someone has to act', () => {
    const statuses = [
      'failed',
      'blocked',
      'blocked_by_failures',
      'busy',
      'partial',
      'first_sync',
      'synced',
      'up_to_date',
      'dry_run',
    ] as const
    expect(statuses.map(severityFromStatus)).toEqual([
      'error',
      'error',
      'error',
      'warning',
      'notice',
      'ok',
      'ok',
      'ok',
      'ok',
    ])
  })

  test('is shown with its reason where it has one', () => {
    expect(statusText({ status: 'partial', reason: 'timeout' })).toBe('partial (timeout)')
    expect(statusText({ status: 'synced' })).toBe('synced')
  })
})

describe('the result of a source whose run never began', () => {
  test('has counts of nothing', () => {
    expect(emptyResult('docs', { status: 'partial', reason: 'cancelled' })).toEqual({
      source: 'docs',
      status: 'partial',
      reason: 'cancelled',
      bookmark: null,
      target: null,
      filesImported: 0,
      filesUpdated: 0,
      filesRenamed: 0,
      filesDeleted: 0,
      filesQuarantined: 0,
      filesRemaining: null,
      blobsRead: 0,
      elapsedMs: 0,
      phases: { lock: 0, fetch: 0, plan: 0, apply: 0, search: 0 },
      warnings: [],
    })
    expect(emptyResult('docs', { status: 'partial', reason: 'timeout' }, 5).elapsedMs).toBe(5)
    expect(noEmbedCounts()).toEqual({
      chunksEmbedded: 0,
      chunksQuarantined: 0,
      chunksRemaining: null,
      requests: 0,
      tokens: 0,
    })
    expect(emptyEmbedResult('docs', 'model-1', { status: 'partial', reason: 'cancelled' })).toEqual({
      source: 'docs',
      model: 'model-1',
      status: 'partial',
      reason: 'cancelled',
      ...noEmbedCounts(),
      elapsedMs: 0,
      warnings: [],
    })
  })
})
