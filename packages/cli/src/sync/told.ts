import type { PlannedChange, SyncResult } from '@tidemark/sync-core'

/** What is told of a source: how its sync ended, and of a dry run what it would have done. */
export type Told = SyncResult & { readonly changes?: readonly PlannedChange[] }
