import {
  type Embedding,
  type EmbedProgress,
  type EmbedResult,
  embedSource,
  emptyEmbedResult,
  isIndexRefused,
  statusText,
} from '@tidemark/sync-core'
import prettyMs from 'pretty-ms'
import { type Config, UsageError } from 'tidemark/config'
import { decisionInputs } from '../runner/decision-inputs.ts'
import { durationInput } from '../runner/inputs.ts'
import { logOutcome, logProgress } from '../runner/log.ts'
import { type RunTable, runStep } from '../runner/run-step.ts'
import { readStepContext } from '../runner/step-context.ts'

/** Embeds the chunks of sources, one source after another, each within its budget; one that fails stops no other. */
export async function embed(): Promise<void> {
  const budgetMs = durationInput('timeout')
  const { 'retry-quarantined': retryQuarantined } = decisionInputs(['retry-quarantined'])
  const step = readStepContext()
  const embedding = getEmbedding(step.config)
  await runStep(step, {
    // The requests of one source run side by side already, as many as the configuration allows its server.
    async work(db, signal) {
      const options = { budgetMs, retryQuarantined, signal, onProgress: logProgress(progressLine) }
      const results: EmbedResult[] = []
      // All sources have one index, which is tried once.
      let index = true
      for (const { id } of step.sources) {
        const result = await embedSource(db, id, embedding, { ...options, index })
        index &&= !isIndexRefused(result)
        logEmbedResult(result)
        results.push(result)
      }
      return results
    },
    cancelled: (id) => emptyEmbedResult(id, embedding.model, { status: 'partial', reason: 'cancelled' }),
    table: embedTable,
  })
}

/** @throws {UsageError} where the configuration names no one who embeds. */
function getEmbedding({ embedding, file }: Config): Embedding {
  if (embedding) return embedding
  throw new UsageError(
    `${file} says nothing of who embeds`,
    'Add for example: embedding: { url: "https://api.openai.com/v1", model: text-embedding-3-small, key: "${EMBEDDING_KEY:-}" }',
  )
}

const progressLine = ({ source, phase, done, total }: EmbedProgress) =>
  phase === 'index' ? `${source}: building the index of the vectors` : `${source}: ${done} of ${total} texts`

/** All of a result, in a group of the log by the name of its source. */
export function logEmbedResult(result: EmbedResult): void {
  const { model, chunksEmbedded, chunksQuarantined, chunksRemaining, requests, tokens, elapsedMs } = result
  const refused = chunksQuarantined > 0 ? `, ${chunksQuarantined} refused` : ''
  logOutcome(result, [
    `${chunksEmbedded} texts embedded by ${model}${refused}; ${chunksRemaining ?? '?'} texts left`,
    `${prettyMs(elapsedMs)}: ${requests} requests, ${tokens} tokens`,
  ])
}

export const embedTable: RunTable<EmbedResult> = {
  heading: 'Tidemark: embed',
  head: ['source', 'status', 'embedded', 'left', 'tokens', 'time'],
  row: (result) => [
    result.source,
    statusText(result),
    String(result.chunksEmbedded),
    String(result.chunksRemaining ?? '?'),
    String(result.tokens),
    prettyMs(result.elapsedMs),
  ],
}
