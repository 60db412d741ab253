import { setTimeout as sleep } from 'node:timers/promises'
import type { Lease } from '@tidemark/lock'
import { type Database, within } from '../database/database.ts'
import type { Outcome } from '../run/outcome.ts'
import { outcomeFromError } from '../run/outcome-from-error.ts'
import { type Budget, startBudget } from '../sync/budget.ts'
import { giveBack } from '../sync/give-back.ts'
import { takeLease } from '../sync/take-lease.ts'
import { TooManyFailures, tooManyFailures } from '../sync/too-many-failures.ts'
import { type Claimed, claimChunks } from './claim-chunks.ts'
import { completeModel } from './complete-model.ts'
import { embedEach } from './embed-each.ts'
import type { EmbedProgress, EmbedResult } from './embed-result.ts'
import type { embedTexts } from './embed-texts.ts'
import { type Embedding, validateEmbedding } from './embedding.ts'
import { measureMissing } from './measure-missing.ts'
import { prepareVectors } from './prepare-vectors.ts'
import { readModels } from './read-models.ts'
import { storeEmbeddings } from './store-embeddings.ts'
import { vectorSpace } from './vector-space.ts'

export interface EmbedOptions {
  /** Stops the run as `partial` with the reason `cancelled`. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds after which the run stops as `partial`. Without it: until done. */
  readonly budgetMs?: number | undefined
  /** How long to wait for a lease that another process has before the source is `busy`; not at all by default. */
  readonly waitMs?: number | undefined
  /** Counts and estimates; writes nothing, asks no server and takes no lease. */
  readonly dryRun?: boolean | undefined
  /** Tries again what the server has refused. */
  readonly retryQuarantined?: boolean | undefined
  /** Stops the run as `partial` when nothing has moved for that long; 5 minutes by default. */
  readonly stallMs?: number | undefined
  /** Told of each batch that is in. */
  readonly onProgress?: ((progress: EmbedProgress) => void) | undefined
}

const STALL_MS = 5 * 60_000
const BATCH_SIZE = 64
const CONCURRENCY = 4

/** OpenAI's own rule of thumb for English. */
const CHARACTERS_PER_TOKEN = 4

/** With fewer texts to embed, statistics cost more than they spare. */
const MANY = 1_000

/** How long to leave texts to another run that has claimed them before looking again. */
const OTHERS_MS = 500

interface EmbedRun {
  readonly db: Database
  readonly sourceId: string
  readonly embedding: Embedding
  readonly options: EmbedOptions
  readonly budget: Budget
  readonly tally: Tally
}

type Tally = ReturnType<typeof startTally>

function startTally() {
  const started = performance.now()
  return {
    embedded: 0,
    refused: 0,
    remaining: null as number | null,
    requests: 0,
    tokens: 0,
    warnings: [] as { code: string; message: string }[],
    estimate: undefined as EmbedResult['estimate'],
    elapsedMs: () => Math.round(performance.now() - started),
  }
}

/**
 * Embeds the chunks of a source that have no embedding by that model yet, or as many of them as the budget allows; the
 * next run goes on from there. The same text is embedded once, in however many chunks and sources it stands.
 *
 * @param db opened and migrated.
 * @returns how it ended; what goes wrong on the way is a `failed` result, not an exception.
 * @throws {SyncError} `BAD_EMBEDDING` before anything is touched.
 */
export async function embedSource(
  db: Database,
  sourceId: string,
  embedding: Embedding,
  options: EmbedOptions = {},
): Promise<EmbedResult> {
  validateEmbedding(embedding)
  const { budgetMs, stallMs = STALL_MS, signal: caller } = options
  using budget = startBudget({ budgetMs, stallMs, caller })
  const tally = startTally()
  const run = { db: within(db, budget.signal), sourceId, embedding, options, budget, tally }
  const ending = await embed(run).catch((error: unknown) => outcomeFromError(error, budget.signal))
  return {
    source: sourceId,
    model: embedding.model,
    ...ending,
    chunksEmbedded: tally.embedded,
    chunksQuarantined: tally.refused,
    chunksRemaining: tally.remaining,
    requests: tally.requests,
    tokens: tally.tokens,
    elapsedMs: tally.elapsedMs(),
    warnings: tally.warnings,
    ...(tally.estimate && { estimate: tally.estimate }),
  }
}

async function embed(run: EmbedRun): Promise<Outcome> {
  const { db, sourceId, options, budget, tally } = run
  const { signal } = budget
  signal.throwIfAborted()
  if (options.dryRun) return estimate(run)
  await prepareVectors(db)
  if (!options.retryQuarantined && (await remaining(run)) === 0) {
    await complete(run)
    return { status: 'up_to_date' }
  }
  // Loaded where there is something to do, and before anything is held: it takes as long as all the rest.
  const client = await import('./embed-texts.ts')
  const taken = await takeLease(db, sourceId, options.waitMs, signal, 'embed')
  if ('status' in taken) return taken
  try {
    const held = { ...run, db: within(db, AbortSignal.any([signal, taken.signal])) }
    if (options.retryQuarantined) await forgetRefused(held)
    let left = await remaining(held)
    // Without statistics, which PGlite does not make by itself, each batch would sort all that are left to find the next.
    if (left > MANY) await held.db.query('ANALYZE tidemark.chunks (source_id, page_id, ordinal)')
    while (left > 0) {
      const before = tally.embedded + tally.refused
      await embedMissing(held, taken, client.embedTexts)
      if (tally.embedded + tally.refused === before) await sleep(OTHERS_MS, undefined, { signal })
      left = await remaining(held)
    }
    await complete(held)
    return { status: tally.embedded > 0 ? 'synced' : 'up_to_date' }
  } catch (error) {
    if (error instanceof TooManyFailures) tally.warnings.push({ code: 'too_many_failures', message: error.message })
    return outcomeFromError(error, AbortSignal.any([signal, taken.signal]))
  } finally {
    await giveBack(taken)
  }
}

async function remaining({ db, sourceId, embedding, tally }: EmbedRun): Promise<number> {
  tally.remaining = (await measureMissing(db, embedding.model, sourceId)).chunks
  return tally.remaining
}

async function estimate({ db, sourceId, embedding, tally }: EmbedRun): Promise<Outcome> {
  const { chunks, characters } = await measureMissing(db, embedding.model, sourceId)
  const { pricePerMillionTokens: price } = embedding
  const tokens = Math.ceil(characters / CHARACTERS_PER_TOKEN)
  tally.remaining = chunks
  tally.estimate = { tokens, cost: price === undefined ? null : (tokens / 1_000_000) * price }
  return { status: 'dry_run' }
}

/** Makes the set count, where it has all; search by meaning is only slower without its index. */
async function complete({ db, embedding, budget, tally }: EmbedRun): Promise<void> {
  try {
    await completeModel(db, embedding.model)
  } catch (error) {
    if (!budget.signal.aborted) throw error
    tally.warnings.push({
      code: 'not_indexed',
      message: 'the index of the vectors is left for the next run to build',
    })
  }
}

async function forgetRefused({ db, sourceId, embedding }: EmbedRun): Promise<void> {
  await db.query(
    `DELETE FROM tidemark.embedding_quarantine AS q WHERE model = $1
     AND EXISTS (SELECT FROM tidemark.chunks AS c WHERE c.source_id = $2 AND c.content_hash = q.content_hash)`,
    [embedding.model, sourceId],
  )
}

/** One pass over the chunks of the source, several requests at a time, each batch stored as it comes back. */
async function embedMissing(
  { db, sourceId, embedding, options, budget, tally }: EmbedRun,
  lease: Lease,
  embed: typeof embedTexts,
): Promise<void> {
  const signal = AbortSignal.any([budget.signal, lease.signal])
  const { model, batchSize = BATCH_SIZE, concurrency = CONCURRENCY } = embedding
  const total = tally.remaining!
  const known = (await readModels(db)).find((each) => each.model === model)
  let dimensions = known?.dimensions ?? null
  const { type } = await vectorSpace(db, dimensions ?? 1)
  const request = async (texts: readonly string[]) => {
    tally.requests++
    const answer = await embed(embedding, texts, { dimensions, signal, onWait: budget.moved })
    dimensions ??= answer.vectors[0]!.length
    return answer
  }
  const settle = async (texts: readonly Claimed[]) => {
    const { embedded, refused, tokens } = await embedEach(request, texts)
    tally.refused += refused.length
    if (tooManyFailures(tally.refused, total)) {
      throw new TooManyFailures(`${tally.refused} of ${total} texts were refused: ${refused.at(-1)?.message}`)
    }
    await storeEmbeddings(db, lease, type, { model, dimensions: dimensions!, embedded, refused })
    tally.embedded += embedded.length
    tally.tokens += tokens
    tally.remaining = Math.max(0, tally.remaining! - texts.length)
    budget.moved()
    const done = tally.embedded + tally.refused
    options.onProgress?.({ source: sourceId, done, total, elapsedMs: tally.elapsedMs() })
  }
  const batches = claimChunks(db, lease, { sourceId, model, batchSize })
  // All of them take from one generator, and the first that fails ends it for the others, which store what they have.
  const work = async () => {
    for await (const texts of batches) {
      budget.check()
      signal.throwIfAborted()
      await settle(texts)
    }
  }
  const ends = await Promise.allSettled(Array.from({ length: concurrency }, work))
  const failure = ends.find((end) => end.status === 'rejected')
  if (failure) throw failure.reason
}
