import { emptyResult, type SyncResult } from '@tidemark/sync-core'
import { expect, test, vi } from 'vitest'
import { logSyncResult } from '../src/commands/sync.ts'
import { annotate, resultAnnotations } from '../src/runner/annotations.ts'

const failed = (message: string): SyncResult => ({
  ...emptyResult('docs', {
    status: 'failed',
    reason: 'fetch_failed',
    error: { code: 'FETCH_FAILED', message, hint: 'See the server.' },
  }),
  warnings: [{ code: 'x', message: 'a\r::add-mask::docs\nb ##[add-mask]docs \u001b]0;owned\u0007' }],
})

test('what a server sends is never a command to the runner', () => {
  const written: string[] = []
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0)
  logSyncResult(failed('remote said\n  ::stop-commands::x\n::add-matcher::y'))
  annotate([{ level: 'warning', title: 'a\u001b[2J', message: 'b\n::add-mask::x ##[add-mask]y \u001b[2J' }])
  write.mockRestore()
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for
  expect(written.join('')).not.toMatch(/##\[|[\u0007\u001b]/)
  const commands = written
    .join('')
    .split(/[\r\n]+/)
    .filter((line) => line.trimStart().startsWith('::'))
  expect(commands).toEqual([
    '::group::docs: failed (fetch_failed)',
    '::endgroup::',
    '::warning title=tidemark%3A a␛[2J::b ::add-mask::x ## [add-mask]y ␛[2J',
  ])
})

test('a failure is an error with what to do next', () => {
  expect(resultAnnotations(failed('It is gone'))).toEqual([
    { level: 'error', title: 'docs: failed (fetch_failed)', message: 'It is gone. See the server.' },
  ])
})
