import type { Database, Embedding, EmbedOptions, EmbedResult } from '@tidemark/sync-core'
import type { Command } from 'commander'
import type { Call } from '../call.ts'
import type { Config } from '../config/load-config.ts'
import type { LogFlags } from '../output/log.ts'
import { openProgress, type ProgressDisplay } from '../output/progress.ts'
import { type Stop, stopOnSignals } from '../runtime/stop-on-signals.ts'
import { UsageError } from '../usage-error.ts'
import { defineAction } from './define-action.ts'
import { endStopped } from './end-stopped.ts'
import {
  addRunOptions,
  collect,
  parseDuration,
  pingRules,
  refuseFlags,
  type SourceFlags,
  STATUS_HELP,
  sourceRules,
} from './flags.ts'
import { type NotBegun, withRunDatabase } from './run-database.ts'
import { withPing } from './with-ping.ts'

/** `tidemark embed`: vectors for search by meaning. */
export function addEmbed(program: Command): void {
  const command = program
    .command('embed')
    .summary('embed what is mirrored, for search by meaning')
    .description(
      'Has the chunks of sources embedded that have not been yet, or as many of them as the time allows, by the server that the configuration names. The same text is embedded once, wherever it stands.',
    )
    .option('--source <id>', 'a source; can be given several times', collect)
    .option('--all', 'all sources of the configuration, one after another')
    .option('--timeout <duration>', 'stop each source after that long, as partial', parseDuration)
    .option('--model <name>', 'another model than the one of the configuration')
    .option('--wait <duration>', 'wait that long for a source that another process is embedding', parseDuration)
    .option('--dry-run', 'show how much there is to embed and what that may cost, and do nothing')
    .option(
      '--gc',
      'then remove embeddings of texts that are gone and of models that this one has replaced; alone: only that',
    )
    .option('--retry-quarantined', 'try again what the server has refused')
    .addHelpText(
      'after',
      `\nExamples:\n  $ tidemark embed --all --dry-run\n  $ tidemark embed --all --timeout 10m\n  $ tidemark embed --gc\n\n${STATUS_HELP}`,
    )
    .action(defineAction(embed))
  addRunOptions(command)
}

/** Durations are in milliseconds. */
interface EmbedFlags extends SourceFlags, Pick<LogFlags, 'log' | 'logTime'> {
  readonly model?: string
  readonly wait?: number
  readonly dryRun?: boolean
  readonly gc?: boolean
  readonly retryQuarantined?: boolean
  readonly ping?: string
}

/** @throws {UsageError} with the reason, before anything is touched. */
function validateFlags({ gc, wait, retryQuarantined, ...flags }: EmbedFlags): void {
  const unnamed = !flags.source && !flags.all
  refuseFlags([
    ...sourceRules(flags),
    ...pingRules(flags),
    [unnamed && !gc, 'embed needs to know what', 'Give --source <id> or --all; or --gc to only collect.'],
    [
      unnamed && (wait || retryQuarantined),
      '--gc alone embeds nothing, so options of embedding mean nothing with it',
      'To embed as well, give --source <id> or --all.',
    ],
  ])
}

/** Embeds sources, collects embeddings that nothing needs, or both. @returns the exit code. */
async function embed(call: Call, flags: EmbedFlags): Promise<number> {
  const { configureLog } = await import('../output/log.ts')
  configureLog({ ...call.flags, ...flags })
  validateFlags(flags)
  const stop = stopOnSignals()
  return endStopped(stop, await withPing(call, flags, () => embedAndShow(call, flags, stop)))
}

async function embedAndShow(call: Call, flags: EmbedFlags, { signal }: Stop): Promise<EmbedResult[]> {
  const { all, source, gc = false, dryRun = false, retryQuarantined, timeout, wait } = flags
  const { emptyEmbedResult, collectEmbeddings } = await import('@tidemark/sync-core')
  const { selectSources } = await import('../config/select-sources.ts')
  const { config, output } = call
  const embedding = await getEmbedding(config, flags.model)
  const sources = all || source ? selectSources(config, flags) : []
  using display = await openProgress(output, flags)
  const options = { budgetMs: timeout, waitMs: wait, retryQuarantined, dryRun, display, signal }
  const work = async (db: Database) => {
    const results = await embedSources(db, sources, embedding, options)
    // What was embedded is shown even where the collection fails.
    const collect = gc && !signal.aborted ? [collectEmbeddings(db, embedding.model, { dryRun, signal })] : []
    const [collection] = await Promise.allSettled(collect)
    return { results, collection }
  }
  const notBegun = ({ outcome, warnings }: NotBegun) => {
    const results = sources.map(({ id }) => ({ ...emptyEmbedResult(id, embedding.model, outcome), warnings }))
    for (const result of results) display.finished(result)
    return { results, collection: undefined }
  }
  // A dry run makes no tables, and no embedded database either.
  const mode = dryRun ? 'read_only' : 'migrated'
  const { results, collection } = await withRunDatabase(
    call,
    mode,
    { signal, budgetMs: timeout, waitMs: wait },
    work,
    notBegun,
  )
  display[Symbol.dispose]()
  const collected = collection?.status === 'fulfilled' ? collection.value : undefined
  if (output.json) output.printJson('embed', { results, ...(collected && { collected }) })
  else {
    if (sources.length > 0) await (await import('../output/results.ts')).showEmbedResults(results, output)
    if (collected && !output.quiet) {
      const { embeddings, models } = collected
      const sets = models.length === 0 ? '' : `, among them all of ${models.join(', ')}`
      output.print(
        `${dryRun ? 'Would remove' : 'Removed'} ${embeddings} embeddings that nothing needs any more${sets}.`,
      )
    }
  }
  if (collection?.status === 'rejected' && !signal.aborted) throw collection.reason
  return results
}

/**
 * Who embeds in this call. How long vectors are to be and what they cost is known of the configured model alone.
 *
 * @param model in the place of the configured one.
 * @throws {UsageError} with what to write where the configuration names no one.
 */
async function getEmbedding({ embedding, file }: Config, model: string | undefined): Promise<Embedding> {
  if (embedding === null) {
    throw new UsageError(
      `${file} does not say who embeds`,
      'Write there, for example: embedding: { url: http://localhost:11434/v1, model: nomic-embed-text }',
    )
  }
  if (model === undefined || model === embedding.model) return embedding
  const { SyncError, validateEmbedding } = await import('@tidemark/sync-core')
  const { dimensions: _, pricePerMillionTokens: __, ...server } = embedding
  const other = { ...server, model }
  try {
    validateEmbedding(other)
  } catch (error) {
    throw error instanceof SyncError ? new UsageError(error.message, error.hint, error) : error
  }
  return other
}

/** Embeds sources one after another; each has a budget of its own, and none stops another. */
async function embedSources(
  db: Database,
  sources: readonly { readonly id: string }[],
  embedding: Embedding,
  { display, ...options }: EmbedOptions & { display: ProgressDisplay },
): Promise<EmbedResult[]> {
  const { embedSource, isIndexRefused, readSources } = await import('@tidemark/sync-core')
  const synced = new Set((await readSources(db)).map(({ id }) => id))
  const results: EmbedResult[] = []
  // All sources have one index, which is tried once.
  let index = true
  for (const { id } of sources) {
    display.started(id)
    display.progress({ source: id, phase: 'embed', done: 0, total: 0, elapsedMs: 0 })
    const result = await embedSource(db, id, embedding, { ...options, index, onProgress: display.progress })
    index &&= !isIndexRefused(result)
    const warned = synced.has(id) ? result : warnNeverSynced(result)
    display.finished(warned)
    results.push(warned)
  }
  return results
}

/** Nothing to embed would look like success. */
function warnNeverSynced(result: EmbedResult): EmbedResult {
  const message = `it has not been synced yet; first run: tidemark sync --source ${result.source}`
  return { ...result, warnings: [...result.warnings, { code: 'never_synced', message }] }
}
