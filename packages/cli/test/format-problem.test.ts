import { expect, test } from 'vitest'
import { formatProblem } from '../src/output/format-problem.ts'

test('a problem is one line, and its next step another', () => {
  const problem = { message: 'it failed:\n  at line 3\n', nextStep: 'Fix it.' }
  expect(formatProblem(problem, 'docs')).toBe('tidemark: docs: it failed: at line 3\n  Fix it.\n')
})
