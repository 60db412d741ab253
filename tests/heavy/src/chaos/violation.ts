/** The promises that chaos looks at, each as the sentence of its check. */
export const PROMISES = {
  complete: 'A source that is said to be finished holds exactly the Markdown files of its bookmark',
  mixture: 'An unfinished source holds files of its bookmark and of commits that its ref had since, nothing else',
  once: 'No page is there twice, and no chunk or link without its page',
  tokens: 'The tokens of a lease only rise',
  alive: 'No lease is taken from its holder before it has expired, whatever the clock of the one who takes it',
  fenced: 'Nothing is written by a process that does not have the lease at that moment',
  woken:
    'A process that wakes after another has taken over ends as lease_lost, or had finished, or finds nothing to do',
  true: 'A run that says that it is done has moved the bookmark to the commit that the ref has',
  ended: 'Every run that is not killed ends by itself, for a reason that was thrown at it',
  recovered: 'After all that, one undisturbed run completes each source',
  derived: 'In the end the database holds what an import from nothing makes',
} as const

export type Promised = keyof typeof PROMISES

/** A promise that was not kept. */
export interface Violation {
  readonly promise: Promised
  readonly seed: number
  readonly wave: number
  readonly source: string
  readonly seen: string
}

/** What a look finds, before it is said where and when. */
export type Finding = Pick<Violation, 'promise' | 'source' | 'seen'>
