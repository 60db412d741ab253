import { expect, test } from 'vitest'
import { guardViolation } from '../../src/plan/guard.ts'
import type { Plan } from '../../src/plan/plan.ts'

const violation = (stored: number, filesDeleted: number, filesImported = 0) =>
  guardViolation({ stored, counts: { filesDeleted, filesImported } } as Plan)

test.each([
  ['a small source that loses most of its pages', 100, 99],
  ['half of a large one', 200, 100],
  ['nothing to delete', 500, 0],
  ['an empty source', 0, 0],
  ['a small source whose pages are all replaced', 3, 3, 1],
])('%s needs nobody', (_, stored, deletes, imports = 0) => {
  expect(violation(stored, deletes, imports)).toBeNull()
})

test.each([
  ['more than half of a large one', 101, 51],
  ['all of a small one', 3, 3],
  ['all of a large one, though others come', 200, 200, 500],
])('%s needs a person, who is told how many', (_, stored, deletes, imports = 0) => {
  expect(violation(stored, deletes, imports)).toBe(
    `${deletes} of ${stored} pages would be deleted: is it the right ref, and the right folder?`,
  )
})
