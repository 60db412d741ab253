import { currentCommit, type Source } from '@tidemark/sync-core'
import pMap from 'p-map'

/** The commit that a source's ref names now, or why that is not known. */
export type Head = { readonly commit: string } | { readonly problem: string }

/** How long one server may take to answer, and all of them. */
const ONE_MS = 30_000
const ALL_MS = 120_000

const AT_ONCE = 16

/** Asks where the refs of sources are, side by side; sources of one repository and ref ask once. */
export async function readHeads(sources: readonly Source[], oneMs = ONE_MS): Promise<Head[]> {
  const all = AbortSignal.timeout(ALL_MS)
  const asked = new Map(sources.map((source) => [placeOf(source), source]))
  const answers = await pMap(asked, async ([place, source]) => [place, await headOf(source, all, oneMs)] as const, {
    concurrency: AT_ONCE,
  })
  const heads = new Map(answers)
  return sources.map((source) => heads.get(placeOf(source))!)
}

const placeOf = ({ repo, ref }: Source) => JSON.stringify([repo, ref])

async function headOf(source: Source, all: AbortSignal, oneMs: number): Promise<Head> {
  const one = AbortSignal.timeout(oneMs)
  try {
    return { commit: await currentCommit(source, AbortSignal.any([all, one])) }
  } catch (error) {
    if (one.aborted) return { problem: `no answer within ${oneMs / 1000} s` }
    return { problem: all.aborted ? 'too many servers are slow to answer' : (error as Error).message }
  }
}
