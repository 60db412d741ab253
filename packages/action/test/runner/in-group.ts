import type { RunContext } from './github.ts'

interface Grouped<T> {
  /** Ends the work for one that came later, where that says so. */
  cancel(): void
  readonly signal: AbortSignal
  work(): Promise<T>
}

/** Does something as the only one of a concurrency group. @returns null where one that came later has replaced it */
export async function inGroup<T>(
  { groups }: Pick<RunContext, 'groups'>,
  concurrency: string | { group: string; 'cancel-in-progress'?: boolean },
  { cancel, signal, work }: Grouped<T>,
): Promise<T | null> {
  const { group, 'cancel-in-progress': cancelInProgress = false } =
    typeof concurrency === 'string' ? { group: concurrency } : concurrency
  const leave = await groups.enter(group, { cancelInProgress, cancel, signal })
  if (leave === null) return null
  try {
    return await work()
  } finally {
    leave()
  }
}
