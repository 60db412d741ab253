import { emptyResult, type SyncResult } from '@tidemark/sync-core'
import { expect, test, vi } from 'vitest'
import { logSyncResult } from '../src/commands/sync.ts'
import { resultAnnotations } from '../src/runner/annotations.ts'

const failed = (message: string): SyncResult => ({
  ...emptyResult('docs', {
    status: 'failed',
    reason: 'fetch_failed',
    error: { code: 'FETCH_FAILED', message, hint: 'See the server.' },
  }),
  warnings: [{ code: 'x', message: 'a\r::add-mask::docs' }],
})

test('what a server sends is never a command to the runner', () => {
  const written: string[] = []
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0)
  logSyncResult(failed('remote said\n  ::stop-commands::x\n::add-matcher::y'))
  write.mockRestore()
  const commands = written
    .join('')
    .split(/[\r\n]+/)
    .filter((line) => line.trimStart().startsWith('::'))
  expect(commands).toEqual(['::group::docs: failed (fetch_failed)', '::endgroup::'])
})

test('a failure is an error with what to do next', () => {
  expect(resultAnnotations(failed('It is gone'))).toEqual([
    { level: 'error', title: 'docs: failed (fetch_failed)', message: 'It is gone. See the server.' },
  ])
})
