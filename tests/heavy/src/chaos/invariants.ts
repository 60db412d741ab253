import type { Check } from '../harness/harness.ts'

/** What has to hold whatever is injected: the sentence of its check, and what is counted when it is looked at. */
export const INVARIANTS = {
  complete: ['A source that is said to be finished holds exactly the Markdown files of its bookmark', 'finished'],
  moved: ['When a bookmark moves, the pages are exactly the Markdown files of its commit', 'moves'],
  mixture: [
    'An unfinished source holds only files of its bookmark and of commits that its ref had since',
    'unfinished',
  ],
  marked: ['Pages change only while their source is marked as unfinished', 'writes'],
  unique: ['No page is there twice, and no chunk or link without its page', 'sources'],
  derived: ['Pages, chunks and links are what an import from nothing makes of the same files', 'sources'],
  tokens: ['The tokens of a lease only rise', 'lease changes'],
  alive: ['No lease is taken from its holder before it has expired, whatever clock the next one has', 'lease changes'],
  healthy: ['A holder that is not killed, paused or cut off keeps its lease until it gives it back', 'lease changes'],
  fenced: ['Nothing is written by a process that does not have the lease at that moment', 'writes'],
  deadline: ['A holder whose connections hang gives up its work by itself', 'hung'],
  resumed: ['A process that wakes after another has taken over ends as lease_lost, or has nothing to do', 'pauses'],
  bookmark: ['A run that says that it is done has moved the bookmark to the commit that the ref has', 'runs'],
  ended: ['Every run that is not killed ends by itself, for a reason that was injected', 'runs'],
  followed: ['A reader that follows the changes of a source holds exactly its pages', 'readers'],
  recovered: ['After all that, one undisturbed run completes each source', 'recovered'],
} as const

/** An invariant that did not hold, and what shows it. */
export type Violation = readonly [invariant: keyof typeof INVARIANTS, observed: string]

/** One check for each invariant, with its first violation; `counts` says how often things were looked at. */
export function checkInvariants(violations: readonly Violation[], counts: Readonly<Record<string, number>>): Check[] {
  return Object.entries(INVARIANTS).map(([name, [check, counted]]) => {
    const own = violations.filter(([invariant]) => invariant === name)
    const observed = `${counts[counted] ?? 0} ${counted}, ${own.length} violations`
    return {
      check,
      passed: own.length === 0,
      observed: [observed, ...own.slice(0, 1).map(([, what]) => what)].join(': '),
    }
  })
}
