import type { Plan } from './plan.ts'

/** One thing that a plan would do. */
export interface PlannedChange {
  /** `quarantine` only of files whose path is the reason; what a text is like is not known before it is read. */
  readonly change: 'add' | 'update' | 'rename' | 'delete' | 'quarantine'
  readonly path: string
  /** Where the page is now; of a rename only. */
  readonly from?: string
}

/** What a plan would do, in the order in which it would be done. */
export function* plannedChanges({ refused, renames, writes, deletes }: Plan): Generator<PlannedChange> {
  for (const { path } of refused) yield { change: 'quarantine', path }
  for (const { from, path } of renames) yield { change: 'rename', path, from }
  for (const { id, path } of writes) yield { change: id === null ? 'add' : 'update', path }
  for (const { path } of deletes) yield { change: 'delete', path }
}
