import type { Database } from '../database/database.ts'
import { redact } from '../redact.ts'
import type { EmbedResult } from '../run/embed-result.ts'
import type { Outcome } from '../run/outcome.ts'
import { Stopped } from '../run/outcome-from-error.ts'
import { completeModel, type EmbeddingSet } from '../store/embeddings/models.ts'
import { createIndex, type IndexBuild, readVectorIndex, watchIndexBuild } from '../store/embeddings/vector-index.ts'
import { SyncError } from '../sync-error.ts'
import type { EmbedRun } from './embed-source.ts'

/**
 * Has the set of a run count for search, where it has all, and builds the index that it lacks, where it can have one and
 * the role may. Returns how the run has ended by that; null where it goes on as it was.
 */
export async function completeSet(run: EmbedRun): Promise<Outcome | null> {
  const { db, embedding, options, budget, warnings } = run
  const { model } = embedding
  const warn = (why: string) => {
    const message = `the vectors of "${model}" have no index, and a search compares each of them: ${why}`
    warnings.push({ code: NOT_INDEXED, message })
    return null
  }
  let set: EmbeddingSet | null = null
  try {
    set = await completeModel(db, model)
    if (set === null || options.index === false) return null
    const index = await readVectorIndex(db, set)
    if (index.status === 'impossible') return warn(index.impossible)
    if (index.status === 'missing') await buildWatched(run, index)
    return null
  } catch (error) {
    const { aborted, reason } = budget.signal
    if (aborted && !(reason instanceof Stopped && reason.reason === 'stalled')) {
      return warn(`its build was stopped, and begins anew with the next run, which needs more time; or ${BY_HAND}`)
    }
    if (set === null) throw error
    if ((error as { code?: string }).code === MAY_NOT) {
      return warn(`this role may not build it (${redact((error as Error).message)}); ${BY_HAND}`)
    }
    const { code, message, hint } = await indexError(db, set, error)
    return { status: 'failed', reason: NOT_INDEXED, error: { code, message, hint } }
  }
}

const NOT_INDEXED = 'not_indexed'
const MAY_NOT = '42501'
const QUERY_CANCELED = '57014'
const BY_HAND = 'have the owner of the tables run what this prints: tidemark migrate --dry-run'

/** Whether a run has found that there will be no index: another run of the same command need not try again. */
export function isIndexRefused(result: EmbedResult): boolean {
  const failed = result.status === 'failed' && result.error.code === 'NOT_INDEXED'
  return failed || result.warnings.some(({ code }) => code === NOT_INDEXED)
}

/** The build counts as activity as long as the server gets on with it. */
async function buildWatched({ db, sourceId, options, budget, elapsedMs }: EmbedRun, index: IndexBuild): Promise<void> {
  const built = new AbortController()
  const watched = watchIndexBuild(db, AbortSignal.any([built.signal, budget.signal]), (progress) => {
    budget.recordActivity()
    options.onProgress?.({ source: sourceId, phase: 'index', ...progress, elapsedMs: elapsedMs() })
  })
  try {
    await createIndex(db, index)
  } finally {
    built.abort()
    await watched
  }
}

/** Why the server has not built an index, and what to do instead. */
async function indexError(db: Database, { model }: EmbeddingSet, error: unknown): Promise<SyncError> {
  const { code, message } = error as { code?: string; message: string }
  const [why, step] =
    error instanceof Stopped
      ? [`the server does not get on with it (${message})`, 'See in pg_stat_activity what it waits for']
      : [redact(message), 'See the log of the database server']
  const timeout = code === QUERY_CANCELED ? (await db.query('SHOW statement_timeout')).rows[0]!.statement_timeout : '0'
  const [cause, first] =
    timeout === '0'
      ? [why, step]
      : [`statement_timeout is ${timeout}`, 'Run it with PGOPTIONS="-c statement_timeout=0"']
  const text = `all is embedded, but the index of the vectors of "${model}" was not built: ${cause}`
  return new SyncError(
    'NOT_INDEXED',
    text,
    `${first}, or ${BY_HAND}. Until then a search compares each of them.`,
    error,
  )
}
