import { currentCommit, type Database, readSources, readStatus } from '@tidemark/sync-core'
import pMap from 'p-map'
import type { Config, ConfiguredSource } from '../config/load-config.ts'
import { isStuck, mendOf } from '../show/mend.ts'
import { duration, shortCommit } from '../show/words.ts'
import { type Finding, failed, well, wrong } from './finding.ts'

const TIMEOUT_MS = 30_000
const CONCURRENCY = 8

/** Whether each repository can be read and has its ref. */
export function checkRepositories({ sources }: Config): Promise<Finding[]> {
  return pMap(sources, checkRepository, { concurrency: CONCURRENCY })
}

async function checkRepository(source: ConfiguredSource): Promise<Finding> {
  try {
    const commit = await currentCommit(source, AbortSignal.timeout(TIMEOUT_MS))
    return well('source', `${source.id}: ${source.ref} is at ${shortCommit(commit)}`)
  } catch (error) {
    const { message, hint } = error as Error & { hint?: string }
    return failed('source', { message: `${source.id}: ${message}`, hint })
  }
}

/** Whether a source waits for a person, a lease for its holder, or pages for a source that is no more. */
export async function checkStandings(db: Database, { sources }: Config): Promise<Finding[]> {
  const ids = sources.map(({ id }) => id)
  const stored = await readSources(db)
  const left = stored.filter(({ id }) => !ids.includes(id))
  const findings = (await readStatus(db, ids)).flatMap((standing): Finding[] => {
    const { id, lease, quarantined } = standing
    const found = mendOf(standing)
    if (found !== null)
      return [wrong(isStuck(lease) ? 'lease' : 'source', `${id}: ${found.problem}`, found.mend)]
    if (lease !== null && lease.expiresInMs > 0) {
      return [well('lease', `${id}: process ${lease.pid} on ${lease.host}, for ${duration(lease.heldForMs)}`)]
    }
    return quarantined > 0
      ? [well('source', `${id}: ${quarantined} files are set aside in tidemark.quarantine`)]
      : []
  })
  return [
    ...findings,
    ...left.map(({ id }) =>
      well('source', `${id}: in the database only; to remove it: tidemark sources remove ${id} --purge`),
    ),
  ]
}
