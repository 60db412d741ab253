import type { Holder } from '@tidemark/sync-core'

/** What someone should know of a result, or do about it. */
export interface NextStep {
  readonly level: 'notice' | 'warning' | 'error'
  readonly title: string
  readonly message: string
}

/** A source that stopped before it was done. @param left what is left, as a sentence */
export function partialStep({ source, reason }: { source: string; reason: string }, left: string): NextStep {
  return {
    level: 'notice',
    title: `${source} is partial (${reason})`,
    message: `${left} What is in stays in; the next run goes on from there.`,
  }
}

/** A source whose lease another has. @param doing what that one does with it */
export function busyStep(
  { source, holder }: { source: string; holder: Pick<Holder, 'host' | 'pid'> },
  doing: string,
): NextStep {
  return {
    level: 'warning',
    title: `${source} is busy`,
    message: `Process ${holder.pid} on ${holder.host} is ${doing} it. The next wave looks again.`,
  }
}

/** A source that failed, with what its error says to do. */
export function failedStep({
  source,
  reason,
  error,
}: {
  source: string
  reason: string
  error: { message: string; hint: string }
}): NextStep {
  return {
    level: 'error',
    title: `${source} failed (${reason})`,
    message: `${error.message}. ${error.hint}`,
  }
}
