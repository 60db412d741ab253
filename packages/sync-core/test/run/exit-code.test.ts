import { expect, test } from 'vitest'
import { exitCodeFromResults, type SyncResult, type SyncStatus } from '../../src/index.ts'

test.each<[number, SyncStatus[]]>([
  [0, ['up_to_date']],
  [0, ['synced']],
  [0, ['first_sync']],
  [0, ['dry_run']],
  [0, ['partial']],
  [1, ['failed']],
  [3, ['blocked']],
  [3, ['blocked_by_failures']],
  [4, ['busy']],
  [0, ['synced', 'partial', 'up_to_date']],
  [4, ['synced', 'busy', 'partial']],
  [3, ['busy', 'blocked', 'synced']],
  [3, ['blocked_by_failures', 'busy']],
  [1, ['busy', 'blocked', 'failed', 'synced']],
])('the exit code is %i after %j', (code, statuses) => {
  expect(exitCodeFromResults(statuses.map((status) => ({ status }) as SyncResult))).toBe(code)
})
