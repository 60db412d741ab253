import type { Progress, SyncResult } from '@tidemark/sync-core'
import type { Live, Telling } from '../show/live.ts'
import { changes, duration, pace } from '../show/words.ts'

export type SyncLive = Live<Progress, SyncResult>

/** What a run does in each of its phases. */
const DOING = {
  lock: 'waiting for its lease',
  fetch: 'fetching',
  plan: 'comparing',
  apply: 'importing',
  search: 'indexing for search',
}

/** What is told of a sync while it runs. */
export const syncTelling: Telling<Progress, SyncResult> = {
  line: ({ phase, total, ...progress }) =>
    phase === 'apply' && total !== null
      ? `${DOING.apply} ${pace({ ...progress, total }, 'files')}`
      : `${DOING[phase]} …`,
  step({ phase, total }) {
    if (phase === 'lock' || (phase === 'apply' && total === 0)) return null
    return phase === 'apply' ? `${DOING.apply} ${total} files` : DOING[phase]
  },
  end: (result) => `${result.status} ${changes(result)} in ${duration(result.elapsedMs)}`,
}
