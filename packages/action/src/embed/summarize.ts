import type { EmbedResult } from '@tidemark/sync-core'
import prettyMs from 'pretty-ms'
import type { NextStep } from '../job/next-step.ts'
import { endedAs } from '../job/tell-end.ts'
import { writeSummary } from '../summary.ts'

const HEAD = ['source', 'status', 'embedded', 'left', 'tokens', 'time']

/** Writes how the embedding of a job ended, and what someone should know of it. */
export async function summarize(results: readonly EmbedResult[], steps: readonly NextStep[]): Promise<void> {
  const rows = results.map((result) => [
    result.source,
    endedAs(result),
    String(result.chunksEmbedded),
    String(result.chunksRemaining ?? '?'),
    String(result.tokens),
    prettyMs(result.elapsedMs),
  ])
  await writeSummary('Tidemark: embed', HEAD, rows, steps)
}
