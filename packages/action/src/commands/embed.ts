import {
  cancelledEmbedResult,
  type Embedding,
  type EmbedOptions,
  type EmbedResult,
  embedSource,
} from '@tidemark/sync-core'
import { type Config, UsageError } from 'tidemark/config'
import { type Chosen, chosenSources } from '../chosen-sources.ts'
import { withMigratedDatabase } from '../database.ts'
import { nextSteps } from '../embed/next-steps.ts'
import { summarize } from '../embed/summarize.ts'
import { progressLine, tellResult } from '../embed/tell-result.ts'
import { choiceInput, durationInput } from '../inputs.ts'
import { annotate } from '../job/annotate.ts'
import { endEarly, endStep } from '../job/end-step.ts'
import { notingLeases } from '../job/noted-leases.ts'
import { nowAndThen } from '../job/now-and-then.ts'
import { setOutcome } from '../job/set-results.ts'
import { stopOnSignals } from '../job/stop-on-signals.ts'
import { FAIL_ON } from '../job/worst-status.ts'

/** Embeds the chunks of sources, one source after another, each within its budget; one that fails stops no other. */
export async function embed(): Promise<void> {
  const budgetMs = durationInput('timeout')
  const failOn = choiceInput('fail-on', FAIL_ON)
  const chosen = chosenSources()
  const embedding = embeddingOf(chosen.config)
  using stop = stopOnSignals()
  const results = await embedAll(chosen, embedding, { budgetMs, signal: stop.signal }).catch((error: unknown) => {
    if (!stop.signal.aborted) throw error
    const none = chosen.sources.map(({ id }) => cancelledEmbedResult(id, embedding.model))
    return endEarly(none, stop)
  })
  const steps = results.flatMap(nextSteps)
  annotate(steps)
  await summarize(results, steps)
  endStep(results, { failOn, stop })
}

/** @throws {UsageError} where the configuration names no one who embeds. */
function embeddingOf({ embedding, file }: Config): Embedding {
  if (embedding) return embedding
  throw new UsageError(
    `${file} says nothing of who embeds`,
    'Add for example: embedding: { url: "https://api.openai.com/v1", model: text-embedding-3-small, key: "${EMBEDDING_KEY:-}" }',
  )
}

/** The requests of one source run side by side already, as many as its server is said to take. */
async function embedAll(chosen: Chosen, embedding: Embedding, settings: EmbedOptions): Promise<EmbedResult[]> {
  const options = { ...settings, onProgress: nowAndThen(progressLine) }
  return withMigratedDatabase(
    chosen,
    async (opened) => {
      const db = notingLeases(opened)
      const results: EmbedResult[] = []
      for (const { id } of chosen.sources) {
        const result = await embedSource(db, id, embedding, options)
        tellResult(result)
        results.push(result)
      }
      // A job that was cancelled may be killed before its database has been closed.
      setOutcome(results)
      return results
    },
    settings.signal,
  )
}
