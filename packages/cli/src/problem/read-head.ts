import { currentCommit } from '@tidemark/sync-core'
import pMap from 'p-map'
import type { ConfiguredSource } from '../config/load-config.ts'
import { problemOfError } from './error-problem.ts'
import type { Problem } from './problem.ts'

const TIMEOUT_MS = 30_000
const CONCURRENCY = 8

/** The commit that the ref of a source names now, or why that cannot be known. */
export type Head = { readonly target: string } | { readonly problem: Problem }

/** Asks where the refs of sources are, side by side. */
export function readHeads(sources: readonly ConfiguredSource[]): Promise<Head[]> {
  return pMap(sources, (source) => readHead(source), { concurrency: CONCURRENCY })
}

async function readHead(source: ConfiguredSource): Promise<Head> {
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  try {
    return { target: await currentCommit(source, signal) }
  } catch (error) {
    return { problem: signal.aborted ? NO_ANSWER : problemOfError(error) }
  }
}

const NO_ANSWER: Problem = {
  message: `its repository does not answer within ${TIMEOUT_MS / 1000} s`,
  nextStep: 'Check its address and the network; the next run tries again.',
}
