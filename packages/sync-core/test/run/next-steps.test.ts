import { LeaseLostError, LockError, type LockErrorCode } from '@tidemark/lock'
import { describe, expect, test } from 'vitest'
import {
  type EmbedResult,
  errorProblem,
  otherWarnings,
  resultProblem,
  SyncError,
  type SyncResult,
} from '../../src/index.ts'

const ALIVE = { host: 'here', pid: 7, heldForMs: 60_000, sinceRefreshMs: 10_000, expiresInMs: 80_000 }
const SILENT = { ...ALIVE, sinceRefreshMs: 600_000 }
const SILENT_TEXT = 'process 7 on here holds its lease and shows no sign of life'

const RAISE_MAX_FILES = 'If that is the right ref: tidemark sources set docs --max-files <count>'

const EMBEDDING_FAILURES = 'check the model and its server, see tidemark.embedding_quarantine, then:'
const FILE_FAILURES = 'fix or exclude the files that tidemark quarantine lists, then:'

type Given = Partial<SyncResult> | Partial<EmbedResult>

const holder = ({ sinceRefreshMs }: typeof ALIVE) => ({ host: 'here', pid: 7, heldForMs: 60_000, sinceRefreshMs })
const massDelete = { code: 'mass_delete', message: '100 of 120 pages would be deleted' }
const failures = { code: 'too_many_failures', message: '30 of 40 have failed' }
const manyFiles = { code: 'too_many_files', message: 'it has 10 files, and may have 3' }
const late = { code: 'not_indexed', message: 'the index is left for the next run' }

describe('a result is told with the next step of just that status and reason:', () => {
  const unknown = { host: null, pid: null, heldForMs: null, sinceRefreshMs: null }
  test.each<['sync' | 'embed', Given, string | null, string | null]>([
    ...(['up_to_date', 'synced', 'first_sync', 'dry_run'] as const).map((status): ['sync', Given, null, null] => [
      'sync',
      { status, warnings: [massDelete, late] },
      null,
      null,
    ]),
    ...(['timeout', 'pull_timeout', 'cancelled', 'lease_lost', 'stalled'] as const).map(
      (reason): ['sync', Given, null, null] => ['sync', { status: 'partial', reason }, null, null],
    ),
    [
      'sync',
      { status: 'blocked', reason: 'mass_delete', warnings: [massDelete, late] },
      '100 of 120 pages would be deleted; if that is the right ref and the right folder:',
      'tidemark sync --source docs --allow-mass-delete',
    ],
    [
      'sync',
      { status: 'blocked_by_failures', warnings: [late, failures] },
      `30 of 40 have failed; ${FILE_FAILURES}`,
      'tidemark sync --source docs --retry-quarantined',
    ],
    [
      'embed',
      { status: 'blocked_by_failures', warnings: [failures, late] },
      `30 of 40 have failed; ${EMBEDDING_FAILURES}`,
      'tidemark embed --source docs --retry-quarantined',
    ],
    [
      'embed',
      { status: 'blocked_by_failures', warnings: [] },
      `too many of its texts were refused; ${EMBEDDING_FAILURES}`,
      'tidemark embed --source docs --retry-quarantined',
    ],
    [
      'sync',
      { status: 'blocked', reason: 'too_many_files', warnings: [late, manyFiles] },
      'it has 10 files, and may have 3',
      RAISE_MAX_FILES,
    ],
    [
      'sync',
      {
        status: 'failed',
        reason: 'fetch_failed',
        error: { code: 'FETCH_FAILED', message: 'it is not there', hint: 'Check the address.' },
        warnings: [massDelete],
      },
      'it is not there',
      'Check the address.',
    ],
    [
      'sync',
      { status: 'busy', holder: holder(ALIVE) },
      'being synced by process 7 on here, for 1m',
      'Leave it to the next run, or wait for it: tidemark sync --source docs --wait 10m',
    ],
    [
      'embed',
      { status: 'busy', holder: holder(ALIVE) },
      'being embedded by process 7 on here, for 1m',
      'Leave it to the next run, or wait for it: tidemark embed --source docs --wait 10m',
    ],
    [
      'sync',
      { status: 'busy', holder: unknown },
      'being synced by another process',
      'Leave it to the next run, or wait for it: tidemark sync --source docs --wait 10m',
    ],
    // Waiting for the dead would be in vain.
    [
      'sync',
      { status: 'busy', holder: holder(SILENT) },
      SILENT_TEXT,
      'tidemark sync --source docs --break-lock-if-stale 45s',
    ],
    ['embed', { status: 'busy', holder: holder(SILENT) }, SILENT_TEXT, 'tidemark locks break embed:docs --max-age 45s'],
  ])('%s %j', (work, result, message, nextStep) => {
    const counts = work === 'embed' ? { chunksEmbedded: 0 } : {}
    const problem = resultProblem({ source: 'docs', warnings: [], ...counts, ...result } as unknown as SyncResult)
    expect(problem).toEqual(message === null ? null : { message, nextStep })
  })

  test('and what its warning says is not said twice', () => {
    const warnings = [late, massDelete]
    const result = {
      source: 'docs',
      status: 'blocked',
      reason: 'mass_delete',
      warnings,
    } as unknown as SyncResult
    expect(otherWarnings(result)).toEqual([late])
    const all = [...warnings, failures]
    const dryRun = { source: 'docs', status: 'dry_run', warnings: all } as unknown as SyncResult
    expect(otherWarnings(dryRun)).toEqual(all)
  })
})

describe('an error is told with the next step of just that code:', () => {
  const REPORT = 'This looks like a fault of tidemark: please report it.'
  const lost = { key: 'sync:docs', token: 1n, lastConfirmedAt: new Date(0) }
  test.each<[unknown, string, string]>([
    [new SyncError('NOT_A_REPOSITORY', 'm', 'hint of its own'), 'm', 'hint of its own'],
    [Object.assign(new Error('m'), { hint: 'hint of its own' }), 'm', 'hint of its own'],
    ...Object.entries({
      LOCK_BAD_OPTIONS: REPORT,
      LOCK_BAD_KEY: 'See the keys that there are: tidemark locks list',
      LOCK_BAD_TABLE: 'Change the table, or name another.',
      LOCK_CLOSED: REPORT,
      LOCK_DEADLOCK: REPORT,
      LOCK_FAILED: 'See whether the database answers: tidemark doctor',
      LOCK_FORBIDDEN: 'What this role has to be granted: tidemark doctor',
      LOCK_NO_TRANSACTION: REPORT,
      LOCK_TIMEOUT: 'See who has it: tidemark locks list',
    } satisfies Record<Exclude<LockErrorCode, 'LEASE_LOST' | 'LOCK_NOT_MIGRATED'>, string>).map(
      ([code, nextStep]): [Error, string, string] => [new LockError(code as LockErrorCode, 'm'), 'm', nextStep],
    ),
    [
      new LeaseLostError('taken', lost),
      'the lease of "sync:docs" is lost: another holder has it by now',
      'Run it again; what is stored is kept.',
    ],
    [
      new LockError(
        'LOCK_BAD_TABLE',
        'x cannot hold leases: it has no key. Remedy: ALTER TABLE x ADD PRIMARY KEY (id)',
      ),
      'x cannot hold leases: it has no key',
      'ALTER TABLE x ADD PRIMARY KEY (id)',
    ],
    [new LockError('LOCK_FAILED', 'x. Remedy: y'), 'x. Remedy: y', 'See whether the database answers: tidemark doctor'],
    // The library names a function of its own.
    [
      new LockError('LOCK_NOT_MIGRATED', 'call migrate() once'),
      'the table of leases is missing, or of an older release',
      'tidemark migrate',
    ],
    [
      new LockError('LOCK_FAILED', 'the database failed: full', new SyncError('DATABASE_FULL', 'full', 'Make room.')),
      'full',
      'Make room.',
    ],
    [Object.assign(new Error('m'), { code: '42P01' }), 'm', 'tidemark migrate'],
    [Object.assign(new Error('m'), { code: '42501' }), 'm', 'What this role has to be granted: tidemark doctor'],
    [new TypeError('m'), 'm', 'Run it again with --verbose to see what came before.'],
    ['m', 'm', 'Run it again with --verbose to see what came before.'],
  ])('%s', (error, message, nextStep) => {
    expect(errorProblem(error)).toEqual({ message, nextStep })
  })
})
