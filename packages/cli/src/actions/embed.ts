import { cancelledEmbedResult, collectEmbeddings, type Database, type EmbedResult } from '@tidemark/sync-core'
import type { Command } from 'commander'
import { embeddingOf } from '../embed/embedding-of.ts'
import { type EmbedFlags, refuseContradictions } from '../embed/flags.ts'
import { embedOneAfterAnother } from '../embed/one-after-another.ts'
import { embedTelling } from '../embed/telling.ts'
import { showCollected, showEmbedResults } from '../show/embed-results.ts'
import { openLive } from '../show/live.ts'
import { endingCode } from '../sync/exit-code.ts'
import { stopOnSignals } from '../sync/stop-on-signals.ts'
import { configOf, sourcesChosen, withDatabase, withDatabaseReadOnly } from './context.ts'
import { outputOf } from './globals.ts'

/** Embeds sources, collects embeddings that nothing needs, or both. @returns the exit code. */
export default async function embed(flags: EmbedFlags, command: Command): Promise<number> {
  refuseContradictions(flags)
  const { all, source, gc = false, dryRun = false, retryQuarantined, timeout, wait } = flags
  const config = configOf(command)
  const embedding = embeddingOf(config, flags.model)
  const sources = all || source ? sourcesChosen(config, flags) : []
  const output = outputOf(command)
  const stop = stopOnSignals()
  const { signal } = stop
  using live = await openLive(output, embedTelling)
  const options = { budgetMs: timeout, waitMs: wait, retryQuarantined, dryRun, live, signal }
  const work = async (db: Database) => {
    const results = await embedOneAfterAnother(db, sources, embedding, options)
    // What was embedded is told even where the collection fails.
    const collect = gc && !signal.aborted ? [collectEmbeddings(db, embedding.model, { dryRun, signal })] : []
    const [collection] = await Promise.allSettled(collect)
    return { results, collection }
  }
  const notBegun = (error: unknown) => {
    // Stopped before the database has answered.
    if (!signal.aborted) throw error
    const results: EmbedResult[] = sources.map(({ id }) => cancelledEmbedResult(id, embedding.model))
    return { results, collection: undefined }
  }
  // A dry run makes no tables, and no embedded database either.
  const open = dryRun ? withDatabaseReadOnly : withDatabase
  const { results, collection } = await open(command, config, work, signal).catch(notBegun)
  live[Symbol.dispose]()
  const collected = collection?.status === 'fulfilled' ? collection.value : undefined
  if (output.json) output.printJson({ results, ...(collected && { collected }) })
  else {
    if (sources.length > 0) showEmbedResults(results, output)
    if (collected) showCollected(collected, dryRun, output)
  }
  if (collection?.status === 'rejected' && !signal.aborted) throw collection.reason
  return endingCode(stop, results)
}
