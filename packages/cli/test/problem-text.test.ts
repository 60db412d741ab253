import { expect, test } from 'vitest'
import { problemText } from '../src/output/problem-text.ts'

test('a problem is one line, and its next step another', () => {
  const problem = { message: 'it failed:\n  at line 3\n', nextStep: 'Fix it.' }
  expect(problemText(problem, 'docs')).toBe('tidemark: docs: it failed: at line 3\n  Fix it.\n')
})
