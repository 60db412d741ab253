import type { Check } from '../harness/harness.ts'

/** What has to hold whatever is injected, each as the sentence of its check. */
export const INVARIANTS = {
  complete: 'A source that is said to be finished holds exactly the Markdown files of its bookmark',
  mixture: 'An unfinished source holds files of its bookmark and of commits that its ref had since, nothing else',
  unique: 'No page is there twice, and no chunk or link without its page',
  tokens: 'The tokens of a lease only rise',
  alive: 'No lease is taken from its holder before it has expired, whatever the clock of the one who takes it',
  fenced: 'Nothing is written by a process that does not have the lease at that moment',
  resumed:
    'A process that wakes after another has taken over ends as lease_lost, or had finished, or finds nothing to do',
  bookmark: 'A run that says that it is done has moved the bookmark to the commit that the ref has',
  ended: 'Every run that is not killed ends by itself, for a reason that was injected',
  recovered: 'After all that, one undisturbed run completes each source',
  derived: 'In the end the database holds what an import from nothing makes',
} as const

export type Invariant = keyof typeof INVARIANTS

/** An invariant that did not hold. */
export interface Violation {
  readonly invariant: Invariant
  readonly source: string
  readonly observed: string
}

/** One check for each invariant; `amounts` says how much it was checked on. */
export function checkInvariants(violations: readonly Violation[], amounts: Record<Invariant, string>): Check[] {
  return (Object.keys(INVARIANTS) as Invariant[]).map((invariant) => {
    const count = violations.filter((violation) => violation.invariant === invariant).length
    return {
      check: INVARIANTS[invariant],
      passed: count === 0,
      observed: `${amounts[invariant]}, ${count} violations`,
    }
  })
}
