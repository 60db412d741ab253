import type { Plan } from './plan.ts'

/** A source of fewer pages may lose half of them in one commit without anything being wrong. */
const SMALL_SOURCE = 100

/** What is amiss about a plan that would remove most of a source, in words for people; null where nothing is. */
export function massDeletion({ counts: { stored, deletes, imports } }: Plan): string | null {
  const emptied = deletes > 0 && deletes === stored && imports === 0
  if (!emptied && (stored <= SMALL_SOURCE || deletes * 2 <= stored)) return null
  return `${deletes} of ${stored} pages would be deleted: is it the right ref, and the right folder?`
}
