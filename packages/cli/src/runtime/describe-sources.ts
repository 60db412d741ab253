import {
  countUnembedded,
  type Database,
  describeSource,
  type RemoteHead,
  readStatus,
  type SourceDescription,
  type SourceStatus,
  sourceFingerprint,
} from '@tidemark/sync-core'
import type { Config, ConfiguredSource } from '../config/load-config.ts'

/** What the database knows of a source; `unembedded` is null where nobody is configured to embed. */
export interface StoredStanding {
  readonly status: SourceStatus
  readonly unembedded: { readonly texts: number; readonly total: number } | null
}

/** Where these sources stand, as the database knows it. */
export async function readStored(
  db: Database,
  sources: readonly ConfiguredSource[],
  { embedding }: Pick<Config, 'embedding'>,
): Promise<StoredStanding[]> {
  const statuses = await readStatus(
    db,
    sources.map(({ id }) => id),
  )
  const stored: StoredStanding[] = []
  for (const status of statuses) {
    const unembedded = embedding === null ? null : await countUnembedded(db, embedding.model, status.id)
    stored.push({ status, unembedded })
  }
  return stored
}

/** The same of the same source for `status`, `doctor` and the Action. @param maxStalenessMs see {@link describeSource} */
export function describeStored(
  { everyMs, ...source }: ConfiguredSource,
  { status, unembedded }: StoredStanding,
  head: RemoteHead,
  { search }: Pick<Config, 'search'>,
  maxStalenessMs?: number,
): SourceDescription {
  const fingerprint = sourceFingerprint(source)
  return describeSource(status, head, { everyMs, fingerprint, searches: search, unembedded, maxStalenessMs })
}
