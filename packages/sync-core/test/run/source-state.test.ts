import { describe, expect, test } from 'vitest'
import { describeSource, type Expected, type RemoteHead, type SourceStatus, type SyncStatus } from '../../src/index.ts'

const HOUR_MS = 3_600_000
const STORED: SourceStatus = {
  id: 'docs',
  bookmark: 'a',
  dirty: false,
  fingerprint: 'f',
  lastStatus: 'synced',
  lastCheckedAt: null,
  lastSyncedAt: null,
  sinceCheckMs: 60_000.4,
  behindMs: null,
  quarantined: 0,
  nothingSelected: null,
  embedFailure: null,
  index: null,
  lastRun: null,
  lastSettings: null,
  lease: null,
  searchLease: null,
}
const EXPECTED: Expected = { everyMs: HOUR_MS, fingerprint: 'f', settings: 's', searches: true, unembedded: null }
const LEASE = { host: 'here', pid: 7, heldForMs: 1, sinceRefreshMs: 10_000, expiresInMs: 80_000 }
const SILENT = { ...LEASE, sinceRefreshMs: 45_001 }
const EXPIRED = { ...LEASE, sinceRefreshMs: 300_000, expiresInMs: -1 }
const RUN = { startedAt: '', finishedAt: '', reason: null, filesRemaining: null }
const FAILED_RUN = { ...RUN, status: 'failed', message: 'the disk is full', hint: 'Make room.' } as const
const AT_A: RemoteHead = { commit: 'a' }
const AT_B: RemoteHead = { commit: 'b' }
const GONE: RemoteHead = { problem: { message: 'it is not there', nextStep: 'Check the address.' } }
const NO_PROBLEM = { problem: null, fix: null }
const SYNC = 'tidemark sync --source docs'

test.each<[string, Partial<SourceStatus>, RemoteHead, object]>([
  ['at its ref', {}, AT_A, { state: 'up_to_date', behind: false, behindMs: null, target: 'a', ...NO_PROBLEM }],
  ['of which a newer commit is known', { behindMs: 5 }, AT_B, { state: 'behind', behind: true, behindMs: 5 }],
  ['whose ref has moved since it was checked', {}, AT_B, { state: 'behind', behind: true, behindMs: 60_000 }],
  ['stopped half way', { dirty: true }, AT_A, { state: 'behind', behind: true, behindMs: 60_000 }],
  ['never synced', { bookmark: null, sinceCheckMs: null }, AT_A, { state: 'never_synced', behindMs: null }],
  ['being synced', { lease: LEASE }, AT_B, { state: 'syncing', behind: true, ...NO_PROBLEM }],
  ['being synced for nothing', { lease: LEASE }, AT_A, { state: 'syncing', behind: false }],
  ['whose lease has expired', { lease: EXPIRED }, AT_A, { state: 'up_to_date', ...NO_PROBLEM }],
  ['whose lease ends in this moment', { lease: { ...LEASE, expiresInMs: 0 } }, AT_A, { state: 'up_to_date' }],
  ['that failed', { lastStatus: 'failed' }, AT_B, { state: 'behind', problem: 'its last run failed', fix: SYNC }],
  [
    'that cannot be read, whatever its last run was',
    { lastStatus: 'blocked' },
    GONE,
    { state: 'unreachable', behind: null, target: null, problem: 'it is not there', fix: 'Check the address.' },
  ],
])('a source %s', (_, stored, head, described) => {
  expect(describeSource({ ...STORED, ...stored }, head, EXPECTED)).toMatchObject(described)
})

type Found = [code: string, severity: string, message: string, nextStep: string]

const BEHIND: Found = ['behind', 'warning', 'behind its ref for 1m', SYNC]
const failures =
  'too many of its files cannot be stored; fix or exclude the files that tidemark quarantine lists, then:'

describe('what keeps a source from being fresh and whole is told with what mends it:', () => {
  const find = (stored: Partial<SourceStatus>, head: RemoteHead, expected: Partial<Expected> = {}) =>
    describeSource({ ...STORED, ...stored }, head, { ...EXPECTED, ...expected }).problems.map(
      ({ code, severity, message, nextStep }): Found => [code, severity, message, nextStep],
    )

  test.each<[string, Partial<SourceStatus>, RemoteHead, Found[]]>([
    ['nothing where it is both', {}, AT_A, []],
    ['a newer commit', {}, AT_B, [BEHIND]],
    [
      'a run that was killed',
      { dirty: true, lease: EXPIRED },
      AT_A,
      [
        [
          'killed',
          'warning',
          'process 7 on here, which synced it, ended 5m ago without a word; go on from there:',
          SYNC,
        ],
        BEHIND,
      ],
    ],
    ['no run that was killed when it had begun nothing', { lease: EXPIRED }, AT_A, []],
    [
      'a holder that is silent',
      { lease: SILENT },
      AT_A,
      [
        [
          'holder_silent',
          'error',
          'process 7 on here holds its lease and shows no sign of life',
          `${SYNC} --break-lock-if-stale 45s`,
        ],
      ],
    ],
    [
      'a holder that is silent, before what its last run was',
      { lease: SILENT, lastStatus: 'blocked' },
      AT_B,
      [
        [
          'holder_silent',
          'error',
          'process 7 on here holds its lease and shows no sign of life',
          `${SYNC} --break-lock-if-stale 45s`,
        ],
        ['behind', 'warning', 'behind its ref for 1m', 'Wait for process 7 on here.'],
      ],
    ],
    [
      'deletions that wait for a person',
      { lastStatus: 'blocked' },
      AT_A,
      [
        [
          'stuck',
          'error',
          'most of it would be deleted; if that is the right ref and the right folder:',
          `${SYNC} --allow-mass-delete`,
        ],
      ],
    ],
    [
      'the cause of a failure, and what mends that, also of one that never had a plan',
      { bookmark: null, fingerprint: null, lastStatus: null, lastRun: FAILED_RUN },
      AT_A,
      [['stuck', 'error', 'its last run failed: the disk is full', 'Make room.']],
    ],
    ['no cause of an older failure', { lastStatus: 'synced', lastRun: FAILED_RUN }, AT_A, []],
    [
      'too many files that cannot be stored',
      { lastStatus: 'blocked_by_failures' },
      AT_A,
      [['stuck', 'error', failures, `${SYNC} --retry-quarantined`]],
    ],
    ['no deletions while a run is at it', { lastStatus: 'blocked', lease: LEASE }, AT_A, []],
    [
      'nobody who looks at it',
      { sinceCheckMs: 2 * HOUR_MS },
      AT_A,
      [
        [
          'overdue',
          'error',
          'nobody has looked at it for 2h, it is due every 1h: does its cron, timer or workflow run? By hand:',
          SYNC,
        ],
      ],
    ],
    [
      'nobody who looks at it, but not where a run takes that long',
      { sinceCheckMs: 2 * HOUR_MS, lease: LEASE },
      AT_A,
      [],
    ],
    ['a cron that is a little late: nothing', { sinceCheckMs: 1.5 * HOUR_MS }, AT_A, []],
    [
      'that it was never synced',
      { bookmark: null, fingerprint: null, sinceCheckMs: null },
      AT_A,
      [['never_synced', 'warning', 'never synced', SYNC]],
    ],
    [
      'how much of a first sync is in',
      {
        bookmark: null,
        dirty: true,
        index: { pages: 90, indexed: 0 },
        lastRun: {
          startedAt: '',
          finishedAt: '',
          status: 'partial',
          reason: 'timeout',
          message: null,
          hint: null,
          filesRemaining: 30,
        },
      },
      AT_A,
      [['never_synced', 'warning', 'its first sync is not done: 90 pages are in, 75 %', SYNC]],
    ],
    [
      'how much of a first sync is in, also where it was killed',
      { bookmark: null, dirty: true, index: { pages: 90, indexed: 0 } },
      AT_A,
      [['never_synced', 'warning', 'its first sync is not done: 90 pages are in', SYNC]],
    ],
    [
      'a configuration that has changed',
      { fingerprint: 'other' },
      AT_A,
      [
        [
          'settings_changed',
          'warning',
          'its configuration has changed since its last sync; what the next one will do:',
          `${SYNC} --dry-run`,
        ],
      ],
    ],
    [
      'an index that lacks pages',
      { index: { pages: 6_289, indexed: 1_337 } },
      AT_A,
      [['index_incomplete', 'warning', '1337 of 6289 pages can be found by search', SYNC]],
    ],
    ['no index that is whole', { index: { pages: 3, indexed: 3 } }, AT_A, []],
    [
      'an index that is being written',
      { index: { pages: 3, indexed: 1 }, searchLease: LEASE },
      AT_A,
      [
        [
          'index_incomplete',
          'warning',
          '1 of 3 pages can be found by search; process 7 on here is at it',
          'Wait for it.',
        ],
      ],
    ],
    [
      'an index that a dead process keeps',
      { index: { pages: 3, indexed: 1 }, searchLease: SILENT },
      AT_A,
      [
        [
          'index_incomplete',
          'warning',
          '1 of 3 pages can be found by search; process 7 on here is at it and shows no sign of life',
          'tidemark locks break search:docs --max-age 45s',
        ],
      ],
    ],
    [
      'no files at all',
      { nothingSelected: 'no folder doc\ntidemark sources set <id> --subpath docs' },
      AT_A,
      [['nothing_selected', 'warning', 'nothing_selected: no folder doc', 'tidemark sources set docs --subpath docs']],
    ],
    [
      'files that are set aside',
      { quarantined: 2 },
      AT_A,
      [['quarantined', 'warning', '2 files are set aside', 'tidemark quarantine --source docs']],
    ],
  ])('%s', (_, stored, head, problems) => {
    expect(find(stored, head)).toEqual(problems)
  })

  test('nothing beside a repository that cannot be read, or a decision to be made, that would not help then', () => {
    const stored = { bookmark: null, fingerprint: null, sinceCheckMs: 9 * HOUR_MS }
    expect(find(stored, GONE)).toEqual([['unreachable', 'error', 'it is not there', 'Check the address.']])
    expect(find({ ...stored, lastStatus: 'blocked' }, AT_B)).toMatchObject([{ 0: 'stuck' }])
  })

  test('no status of a run that goes on by itself', () => {
    for (const lastStatus of [
      'up_to_date',
      'synced',
      'first_sync',
      'dry_run',
      'partial',
      'busy',
    ] satisfies SyncStatus[])
      expect(find({ lastStatus }, AT_A)).toEqual([])
  })

  test('texts without an embedding, where someone is to embed them', () => {
    const message = '25 of 100 texts have no embedding, 75 % do'
    expect(find({}, AT_A, { unembedded: { texts: 25, total: 100 } })).toEqual([
      ['embeddings_incomplete', 'warning', message, 'tidemark embed --source docs'],
    ])
    expect(find({}, AT_A, { unembedded: { texts: 0, total: 100 } })).toEqual([])
  })

  test('no index where nobody searches', () => {
    expect(find({ index: { pages: 3, indexed: 0 } }, AT_A, { searches: false })).toEqual([])
  })

  test('no staleness that is allowed, and not having been looked at for longer', () => {
    const maxStalenessMs = 2 * HOUR_MS
    expect(find({ behindMs: maxStalenessMs - 1 }, AT_B, { maxStalenessMs })).toEqual([])
    expect(find({ behindMs: maxStalenessMs }, AT_B, { maxStalenessMs })).toEqual([
      ['behind', 'warning', 'behind its ref for 2h', SYNC],
    ])
    expect(find({ sinceCheckMs: maxStalenessMs }, AT_A, { maxStalenessMs })).toEqual([])
    expect(find({ sinceCheckMs: maxStalenessMs + 1 }, AT_A, { maxStalenessMs })).toHaveLength(1)
  })
})
