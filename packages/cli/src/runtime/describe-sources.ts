import {
  checkDatabase,
  countUnembedded,
  type Database,
  type DatabaseProblem,
  describeSource,
  type Expected,
  type Problem,
  type RemoteHead,
  readSources,
  readStatus,
  refuseUnreadable,
  type SourceDescription,
  type SourceProblem,
  type SourceStatus,
  sourceDigests,
} from '@tidemark/sync-core'
import type { Config, ConfiguredSource } from '../config/load-config.ts'
import { isMissing } from '../missing-database.ts'

/** What is wrong beside the sources of the configuration: with the database, or with what only that knows. */
export interface InstallationProblem extends Problem {
  readonly code: DatabaseProblem['code'] | 'only_in_database'
  readonly severity: SourceProblem['severity']
}

/** Whether a database can be read and written to, and what of it nobody syncs. @throws {SyncError} where it cannot be read. */
export async function readInstallation(db: Database, config: Config): Promise<InstallationProblem[]> {
  if (isMissing(db)) return []
  const problems = await checkDatabase(db)
  refuseUnreadable(problems)
  const found = problems.map(({ code, message, nextStep }) => ({ code, severity: 'error' as const, message, nextStep }))
  return [...found, ...(await findOrphans(db, config))]
}

/** Sources that only the database knows. */
export async function findOrphans(db: Database, { sources }: Config): Promise<InstallationProblem[]> {
  const orphans = (await readSources(db)).filter(({ id }) => !sources.some((source) => source.id === id))
  return orphans.map(({ id }) => ({
    code: 'only_in_database',
    severity: 'warning',
    message: `${id}: in the database only, its pages stay as they are; if no other configuration has it:`,
    nextStep: `tidemark sources remove ${id} --purge`,
  }))
}

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

/**
 * The same of the same source for `status`, `doctor` and the Action.
 *
 * @param options see {@link describeSource}
 */
export function describeStored(
  { everyMs, ...source }: ConfiguredSource,
  { status, unembedded }: StoredStanding,
  head: RemoteHead,
  { search }: Pick<Config, 'search'>,
  options: Pick<Expected, 'maxStalenessMs' | 'writable'>,
): SourceDescription {
  return describeSource(status, head, { everyMs, ...sourceDigests(source), searches: search, unembedded, ...options })
}
