import {
  cancelledEmbedResult,
  type Database,
  type Embedding,
  type EmbedOptions,
  type EmbedProgress,
  type EmbedResult,
  embedSource,
  statusText,
} from '@tidemark/sync-core'
import prettyMs from 'pretty-ms'
import { type Config, UsageError } from 'tidemark/config'
import { stopOnSignals } from 'tidemark/runtime'
import { type Annotation, annotate, resultAnnotations } from '../runner/annotations.ts'
import { withMigratedDatabase } from '../runner/database.ts'
import { endEarly, endStep, FAIL_ON } from '../runner/end-step.ts'
import { choiceInput, durationInput } from '../runner/inputs.ts'
import { logOutcome, logProgress } from '../runner/log.ts'
import { setRunOutputs } from '../runner/outputs.ts'
import { recordLeases } from '../runner/recorded-leases.ts'
import { readStepContext, type StepContext } from '../runner/step-context.ts'
import { writeSummary } from '../runner/summary.ts'

/** Embeds the chunks of sources, one source after another, each within its budget; one that fails stops no other. */
export async function embed(): Promise<void> {
  const budgetMs = durationInput('timeout')
  const failOn = choiceInput('fail-on', FAIL_ON)
  const step = readStepContext()
  const embedding = getEmbedding(step.config)
  const stop = stopOnSignals()
  const results = await embedSources(step, embedding, { budgetMs, signal: stop.signal }).catch((error: unknown) =>
    endEarly(
      error,
      step.sources.map(({ id }) => cancelledEmbedResult(id, embedding.model)),
      stop,
    ),
  )
  const annotations = results.flatMap(resultAnnotations)
  annotate(annotations)
  await summarizeEmbed(results, annotations)
  endStep(results, { failOn, stop })
}

/** @throws {UsageError} where the configuration names no one who embeds. */
function getEmbedding({ embedding, file }: Config): Embedding {
  if (embedding) return embedding
  throw new UsageError(
    `${file} says nothing of who embeds`,
    'Add for example: embedding: { url: "https://api.openai.com/v1", model: text-embedding-3-small, key: "${EMBEDDING_KEY:-}" }',
  )
}

/** The requests of one source run side by side already, as many as the configuration allows its server. */
function embedSources(step: StepContext, embedding: Embedding, settings: EmbedOptions): Promise<EmbedResult[]> {
  const progressLine = ({ source, done, total }: EmbedProgress) => `${source}: ${done} of ${total} texts`
  const options = { ...settings, onProgress: logProgress(progressLine) }
  const work = async (db: Database) => {
    const recorded = recordLeases(db)
    const results: EmbedResult[] = []
    for (const { id } of step.sources) {
      const result = await embedSource(recorded, id, embedding, options)
      logEmbedResult(result)
      results.push(result)
    }
    // A job that was cancelled may be killed before its database has been closed.
    setRunOutputs(results)
    return results
  }
  return withMigratedDatabase(step, work, settings.signal)
}

/** All of a result, in a group of the log by the name of its source. */
export function logEmbedResult(result: EmbedResult): void {
  const { model, chunksEmbedded, chunksQuarantined, chunksRemaining, requests, tokens, elapsedMs } = result
  const refused = chunksQuarantined > 0 ? `, ${chunksQuarantined} refused` : ''
  logOutcome(result, [
    `${chunksEmbedded} texts embedded by ${model}${refused}; ${chunksRemaining ?? '?'} texts left`,
    `${prettyMs(elapsedMs)}: ${requests} requests, ${tokens} tokens`,
  ])
}

const HEAD = ['source', 'status', 'embedded', 'left', 'tokens', 'time']

/** Writes how the embedding of a job ended, and what someone should know of it. */
export async function summarizeEmbed(
  results: readonly EmbedResult[],
  annotations: readonly Annotation[],
): Promise<void> {
  const rows = results.map((result) => [
    result.source,
    statusText(result),
    String(result.chunksEmbedded),
    String(result.chunksRemaining ?? '?'),
    String(result.tokens),
    prettyMs(result.elapsedMs),
  ])
  await writeSummary('Tidemark: embed', HEAD, rows, annotations)
}
