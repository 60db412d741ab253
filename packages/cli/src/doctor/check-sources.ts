import { type Database, readSources, readStatus } from '@tidemark/sync-core'
import type { Config } from '../config/load-config.ts'
import { readHeads } from '../problem/read-head.ts'
import { problemOfLease, problemOfSource } from '../problem/source-problem.ts'
import { duration, shortCommit } from '../show/words.ts'
import { type Finding, well, wrong } from './finding.ts'

/** Whether each repository can be read and has its ref. */
export async function checkRepositories({ sources }: Config): Promise<Finding[]> {
  const heads = await readHeads(sources)
  return sources.map(({ id, ref }, i) => {
    const head = heads[i]!
    return 'problem' in head
      ? wrong('source', head.problem, id)
      : well('source', `${id}: ${ref} is at ${shortCommit(head.target)}`)
  })
}

/** Whether a source waits for a person, a lease for its holder, or pages for a source that is no more. */
export async function checkStandings(db: Database, { sources }: Config): Promise<Finding[]> {
  const ids = sources.map(({ id }) => id)
  const stored = await readSources(db)
  const left = stored.filter(({ id }) => !ids.includes(id))
  const findings = (await readStatus(db, ids)).flatMap((standing): Finding[] => {
    const { id, lease, quarantined } = standing
    const problem = problemOfSource(standing)
    if (problem !== null) return [wrong(problemOfLease(standing) ? 'lease' : 'source', problem, id)]
    if (lease !== null && lease.expiresInMs > 0) {
      return [well('lease', `${id}: process ${lease.pid} on ${lease.host}, for ${duration(lease.heldForMs)}`)]
    }
    return quarantined > 0 ? [well('source', `${id}: ${quarantined} files are set aside in tidemark.quarantine`)] : []
  })
  return [
    ...findings,
    ...left.map(({ id }) =>
      well('source', `${id}: in the database only; to remove it: tidemark sources remove ${id} --purge`),
    ),
  ]
}
