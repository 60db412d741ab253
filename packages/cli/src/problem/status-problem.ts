import type { SyncStatus } from '@tidemark/sync-core'
import type { Problem } from './problem.ts'

/** What was done with a source. */
export type Work = 'sync' | 'embed'

/** A status that a person has to do something about. */
export type StuckStatus = Extract<SyncStatus, 'blocked' | 'blocked_by_failures' | 'failed'>

const TOO_MANY_FAILURES = {
  sync: {
    fallback: 'too many of its files cannot be stored',
    look: 'mend or exclude the files that tidemark.quarantine names',
  },
  embed: {
    fallback: 'too many of its texts were refused',
    look: 'check the model and its server, see tidemark.embedding_quarantine',
  },
}

/**
 * What is wrong with a source whose last run ended so, and how it goes on.
 *
 * @param detail what the run itself has said of that status; not known any more where only the status is stored.
 */
export function problemOfStatus(status: StuckStatus, source: string, work: Work, detail?: string): Problem {
  const again = `tidemark ${work} --source ${source}`
  switch (status) {
    case 'blocked':
      return {
        message: detail ?? 'most of it would be deleted: is it the right ref, and the right folder?',
        nextStep: `${again} --allow-mass-delete`,
      }
    case 'blocked_by_failures': {
      const { fallback, look } = TOO_MANY_FAILURES[work]
      return { message: `${detail ?? fallback}; ${look}, then:`, nextStep: `${again} --retry-quarantined` }
    }
    case 'failed':
      return { message: detail ?? 'its last run failed', nextStep: again }
  }
}

const STUCK = new Set<string | null>(['blocked', 'blocked_by_failures', 'failed'] satisfies StuckStatus[])

export const isStuck = (status: string | null): status is StuckStatus => STUCK.has(status)
