/**
 * Has the chunks of a source embedded by a server, under the lease `embed:<source>`. A text is embedded once: a
 * run claims texts, sends them, and stores the answers in one fenced statement. Claims count as long as their
 * lease. A text that the server rejects is found by halving. A set counts for search once it has every chunk, and
 * gets its index then, under no lease: that can take an hour, and is nobody's source.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Database, withSignal } from '../database/database.ts'
import { isUnencrypted } from '../git/address.ts'
import { redact } from '../redact.ts'
import { type Budget, startBudget } from '../run/budget.ts'
import { type EmbedCounts, type EmbedProgress, type EmbedResult, noEmbedCounts } from '../run/embed-result.ts'
import { acquireLease, type Held, leaseKey } from '../run/lease.ts'
import type { RunOptions } from '../run/options.ts'
import type { Outcome } from '../run/outcome.ts'
import { CLEANUP_TIMEOUT_MS, outcomeFromError, refuseTooManyFailures } from '../run/outcome-from-error.ts'
import { retryLost } from '../run/retry-lost.ts'
import { claimTexts, type PendingText } from '../store/embeddings/claim-texts.ts'
import { countMissing, type MissingTexts, readModels } from '../store/embeddings/models.ts'
import { recordEmbedding } from '../store/embeddings/record-embedding.ts'
import { storeEmbeddings } from '../store/embeddings/store-embeddings.ts'
import { prepareVectors, vectorSpace } from '../store/embeddings/vector-space.ts'
import type { SyncError } from '../sync-error.ts'
import { bisectRejected } from './bisect-rejected.ts'
import { completeSet } from './complete-set.ts'
import { type Embedding, validateEmbedding } from './embedding.ts'

export interface EmbedOptions extends RunOptions {
  /** Called after each batch that is in. */
  readonly onProgress?: ((progress: EmbedProgress) => void) | undefined
  /** Whether a complete set gets the index that it lacks; true by default. It is one for all sources. */
  readonly index?: boolean | undefined
}

const BATCH_SIZE = 64
const CONCURRENCY = 4
/** OpenAI's own rule of thumb for English. */
const CHARACTERS_PER_TOKEN = 4
/** With fewer texts to embed, statistics cost more than they spare. */
const ANALYZE_ABOVE = 1_000
/** How long to leave texts to another run that has claimed them before looking again. */
const CLAIM_POLL_MS = 500

export interface EmbedRun {
  readonly db: Database
  readonly sourceId: string
  readonly embedding: Embedding
  readonly options: EmbedOptions
  readonly budget: Budget
  /** What the run has done so far. */
  readonly counts: EmbedCounts
  readonly warnings: { code: string; message: string }[]
  readonly elapsedMs: () => number
  /** What was wrong with the server when it was last asked in vain. */
  fault: SyncError | null
}

/**
 * Embeds the chunks of a source that have no embedding by that model yet, or as many of them as the budget allows; the
 * next run goes on from there.
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
  using budget = startBudget(options)
  const started = performance.now()
  const elapsedMs = () => Math.round(performance.now() - started)
  const warnings: EmbedRun['warnings'] = []
  if (isUnencrypted(embedding.url)) warnings.push({ code: 'unencrypted', message: unencryptedMessage(embedding) })
  const counts = noEmbedCounts()
  const bound = withSignal(db, budget.signal)
  const run: EmbedRun = { db: bound, sourceId, embedding, options, budget, counts, warnings, elapsedMs, fault: null }
  const ended = await embedAll(run).catch((error: unknown) =>
    outcomeFromError(error, sourceId, budget.signal, warnings),
  )
  const outcome = failInVain(run, ended)
  if (!options.dryRun) await recordOutcome(db, run, outcome).catch(() => {})
  return { source: sourceId, model: embedding.model, ...outcome, ...counts, elapsedMs: elapsedMs(), warnings }
}

/** Of a budget that went by while a server was asked in vain, the server is the reason. */
function failInVain({ counts, fault }: EmbedRun, outcome: Outcome): Outcome {
  const stopped = outcome.status === 'partial' && (outcome.reason === 'timeout' || outcome.reason === 'stalled')
  if (!stopped || fault === null || counts.chunksEmbedded + counts.chunksQuarantined > 0) return outcome
  const { code, message, hint } = fault
  return { status: 'failed', reason: code.toLowerCase(), error: { code, message, hint } }
}

/** Leaves for `status` why embedding has failed, or that it has not. */
async function recordOutcome(db: Database, { sourceId, counts }: EmbedRun, outcome: Outcome): Promise<void> {
  const works = outcome.status === 'synced' || outcome.status === 'up_to_date' || counts.chunksEmbedded > 0
  if (outcome.status !== 'failed' && !works) return
  const soon = withSignal(db, AbortSignal.timeout(CLEANUP_TIMEOUT_MS))
  await recordEmbedding(soon, sourceId, outcome.status === 'failed' ? outcome.error : null)
}

const unencryptedMessage = ({ url, key }: Embedding) =>
  `${redact(url)} is not encrypted: anyone on the way can read the texts${key ? ' and the key' : ''}`

async function embedAll(run: EmbedRun): Promise<Outcome> {
  const { db, options, budget, counts } = run
  budget.signal.throwIfAborted()
  if (options.dryRun) {
    const tokens = Math.ceil((await countRemaining(run, db)).characters / CHARACTERS_PER_TOKEN)
    const { pricePerMillionTokens: price } = run.embedding
    counts.estimate = { tokens, cost: price === undefined ? null : (tokens / 1_000_000) * price }
    return { status: 'dry_run' }
  }
  await prepareVectors(db)
  const complete = !options.retryQuarantined && (await countRemaining(run, db)).chunks === 0
  const outcome: Outcome = complete ? { status: 'up_to_date' } : await embedUnderLease(run)
  if (outcome.status !== 'up_to_date' && outcome.status !== 'synced') return outcome
  return (await completeSet(run)) ?? outcome
}

async function embedUnderLease(run: EmbedRun): Promise<Outcome> {
  const { db, sourceId, options, budget, counts } = run
  const { signal } = budget
  // Loaded where there is something to do, and before anything is held: it takes as long as all the rest.
  await import('./embed-texts.ts')
  const acquired = await acquireLease(db, leaseKey(sourceId, 'embed'), { signal, waitMs: options.waitMs })
  if ('status' in acquired) return acquired
  await using held = acquired
  try {
    if (options.retryQuarantined) await held.db.query(FORGET_REJECTED, [run.embedding.model, sourceId])
    let { chunks: remaining } = await countRemaining(run, held.db)
    // Without statistics, which PGlite does not make by itself, each batch would sort all that are left to find the next.
    if (remaining > ANALYZE_ABOVE) await held.db.query('ANALYZE tidemark.chunks (source_id, page_id, ordinal)')
    while (remaining > 0) {
      const before = counts.chunksEmbedded + counts.chunksQuarantined
      await embedMissing(run, held)
      if (counts.chunksEmbedded + counts.chunksQuarantined === before) await sleep(CLAIM_POLL_MS, undefined, { signal })
      remaining = (await countRemaining(run, held.db)).chunks
    }
    return { status: counts.chunksEmbedded > 0 ? 'synced' : 'up_to_date' }
  } catch (error) {
    return outcomeFromError(error, sourceId, held.signal, run.warnings)
  }
}

const FORGET_REJECTED = /* sql */ `DELETE FROM tidemark.embedding_quarantine AS q WHERE model = $1
AND EXISTS (SELECT FROM tidemark.chunks AS c WHERE c.source_id = $2 AND c.content_hash = q.content_hash)`

async function countRemaining({ sourceId, embedding, budget, counts }: EmbedRun, db: Database): Promise<MissingTexts> {
  const missing = await retryLost(budget.signal, () => countMissing(db, embedding.model, sourceId))
  counts.chunksRemaining = missing.chunks
  return missing
}

/** One pass over the chunks of the source, several requests at a time, each batch stored as it comes back. */
async function embedMissing(run: EmbedRun, held: Held): Promise<void> {
  const { db, signal } = held
  const { sourceId, embedding, options, budget, counts } = run
  const { model, batchSize = BATCH_SIZE, concurrency = CONCURRENCY } = embedding
  const { embedTexts } = await import('./embed-texts.ts')
  const total = counts.chunksRemaining!
  let dimensions = (await readModels(db)).find((each) => each.model === model)?.dimensions ?? null
  const { type } = await vectorSpace(db, dimensions ?? 1)
  const request = async (texts: readonly string[]) => {
    counts.requests++
    const onFault = (fault: SyncError) => {
      run.fault = fault
    }
    const answer = await embedTexts(embedding, texts, { dimensions, signal, onWait: budget.recordActivity, onFault })
    dimensions ??= answer.vectors[0]!.length
    return answer
  }
  const storeBatch = async (texts: readonly PendingText[]) => {
    const { embedded, rejected, tokens } = await bisectRejected(request, texts)
    counts.chunksQuarantined += rejected.length
    refuseTooManyFailures(counts.chunksQuarantined, total, `texts were refused: ${rejected.at(-1)?.message}`)
    const batch = { model, dimensions: dimensions!, embedded, rejected }
    await retryLost(signal, () => storeEmbeddings(held, type, batch))
    counts.chunksEmbedded += embedded.length
    counts.tokens += tokens
    counts.chunksRemaining = Math.max(0, counts.chunksRemaining! - texts.length)
    budget.recordActivity()
    const done = counts.chunksEmbedded + counts.chunksQuarantined
    options.onProgress?.({ source: sourceId, phase: 'embed', done, total, elapsedMs: run.elapsedMs() })
  }
  const batches = claimTexts(held, sourceId, model, batchSize)
  // All of them take from one generator, and the first that fails ends it for the others, which store what they have.
  const work = async () => {
    for await (const texts of batches) {
      budget.throwIfExpired()
      signal.throwIfAborted()
      await storeBatch(texts)
    }
  }
  const ends = await Promise.allSettled(Array.from({ length: concurrency }, work))
  const failure = ends.find((end) => end.status === 'rejected')
  if (failure) throw failure.reason
}
