import { expect, test } from 'vitest'
import { describeSource, type RemoteHead, type SourceStatus } from '../../src/index.ts'

const STORED: SourceStatus = {
  id: 'docs',
  bookmark: 'a',
  dirty: false,
  lastStatus: 'synced',
  lastCheckedAt: null,
  lastSyncedAt: null,
  sinceCheckMs: 60_000.4,
  behindMs: null,
  quarantined: 0,
  nothingSelected: null,
  lastRun: null,
  lease: null,
}
const LEASE = { host: 'here', pid: 7, heldForMs: 1, sinceRefreshMs: 10_000, expiresInMs: 80_000 }
const AT_A: RemoteHead = { commit: 'a' }
const AT_B: RemoteHead = { commit: 'b' }
const GONE: RemoteHead = { problem: { message: 'it is not there', nextStep: 'Check the address.' } }
const AGAIN = { problem: 'its last run failed', fix: 'tidemark sync --source docs' }
const NO_PROBLEM = { problem: null, fix: null }

test.each<[string, Partial<SourceStatus>, RemoteHead, object]>([
  ['at its ref', {}, AT_A, { state: 'up_to_date', behind: false, behindMs: null, target: 'a', ...NO_PROBLEM }],
  ['of which a newer commit is known', { behindMs: 5 }, AT_B, { state: 'behind', behind: true, behindMs: 5 }],
  ['whose ref has moved since it was checked', {}, AT_B, { state: 'behind', behind: true, behindMs: 60_000 }],
  ['stopped half way', { dirty: true }, AT_A, { state: 'behind', behind: true, behindMs: 60_000 }],
  ['never synced', { bookmark: null, sinceCheckMs: null }, AT_A, { state: 'never_synced', behindMs: null }],
  ['being synced', { lease: LEASE }, AT_B, { state: 'syncing', behind: true, ...NO_PROBLEM }],
  ['being synced for nothing', { lease: LEASE }, AT_A, { state: 'syncing', behind: false }],
  ['whose lease has expired', { lease: { ...LEASE, expiresInMs: -1 } }, AT_A, { state: 'up_to_date' }],
  ['whose lease ends in this moment', { lease: { ...LEASE, expiresInMs: 0 } }, AT_A, { state: 'up_to_date' }],
  ['that failed', { lastStatus: 'failed' }, AT_B, { state: 'behind', ...AGAIN }],
  [
    'that cannot be read, whatever its last run was',
    { lastStatus: 'blocked' },
    GONE,
    { state: 'unreachable', behind: null, target: null, problem: 'it is not there', fix: 'Check the address.' },
  ],
])('a source %s', (_, stored, head, described) => {
  expect(describeSource({ ...STORED, ...stored }, head)).toMatchObject(described)
})
