import type { Plan } from './plan.ts'

/** A source of fewer pages may lose half of them in one commit without anything being wrong. */
const MIN_GUARDED_PAGES = 100

/** Why a person must allow a plan that would remove most of a source; null where none has to. */
export function guardViolation({ stored, counts: { filesDeleted: deletes, filesImported } }: Plan): string | null {
  const emptied = deletes > 0 && deletes === stored && filesImported === 0
  if (!emptied && (stored <= MIN_GUARDED_PAGES || deletes * 2 <= stored)) return null
  return `${deletes} of ${stored} pages would be deleted: is it the right ref, and the right folder?`
}
