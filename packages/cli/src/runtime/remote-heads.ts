import { currentCommit, errorProblem, type RemoteHead, type Source } from '@tidemark/sync-core'
import pMap from 'p-map'

const PER_SOURCE_TIMEOUT_MS = 30_000
const TOTAL_TIMEOUT_MS = 120_000
const CONCURRENCY = 16

/** Asks where the refs of sources are, side by side; sources of one repository and ref ask once. */
export async function readRemoteHeads(
  sources: readonly Source[],
  perSourceTimeoutMs = PER_SOURCE_TIMEOUT_MS,
): Promise<RemoteHead[]> {
  const total = AbortSignal.timeout(TOTAL_TIMEOUT_MS)
  const distinct = new Map(sources.map((source) => [refKey(source), source]))
  const heads = new Map<string, (id: string) => RemoteHead>()
  await pMap(
    distinct,
    async ([key, source]) => heads.set(key, await readRemoteHead(source, total, perSourceTimeoutMs)),
    { concurrency: CONCURRENCY },
  )
  return sources.map((source) => heads.get(refKey(source))!(source.id))
}

const refKey = ({ repo, ref }: Source) => JSON.stringify([repo, ref])

/** @returns the answer for each of the sources that share it: a next step has the name of the source. */
async function readRemoteHead(
  source: Source,
  total: AbortSignal,
  timeoutMs: number,
): Promise<(id: string) => RemoteHead> {
  const timeout = AbortSignal.timeout(timeoutMs)
  const nextStep = 'Check its address and the network; the next run tries again.'
  try {
    const commit = await currentCommit(source, AbortSignal.any([total, timeout]))
    return () => ({ commit })
  } catch (error) {
    const stopped = timeout.aborted
      ? `its repository does not answer within ${timeoutMs / 1000} s`
      : total.aborted && 'too many repositories are slow to answer'
    return (id) => ({ problem: stopped ? { message: stopped, nextStep } : errorProblem(error, undefined, id) })
  }
}
