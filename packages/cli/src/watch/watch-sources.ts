/**
 * Keeps sources fresh for as long as it runs. Each is looked at when its `every` is over, when a ref of a repository on
 * this machine changes and when a hook says so; a look is a sync, which mostly finds nothing new. Several such processes
 * share their sources by the leases alone: who finds one taken looks again soon.
 */
import { type Database, errorProblem, isRemote, type RunResult, type SyncResult, syncSource } from '@tidemark/sync-core'
import type { Call } from '../call.ts'
import type { Config, ConfiguredSource } from '../config/load-config.ts'
import { logProblem } from '../output/log.ts'
import type { ProgressDisplay } from '../output/progress.ts'
import { createScheduler } from './scheduler.ts'
import { watchRefs } from './watch-refs.ts'

/** A source is not looked at more often by the clock. */
export const MIN_EVERY_MS = 10_000
/** When to look again at what another is at. */
const BUSY_MS = 5_000
/** Looks of one period are spread over so much of it. */
const JITTER = 0.1

export interface WatchOptions {
  readonly budgetMs: number
  readonly concurrency: number
  /** Has a source synced by a process of its own; null where this one does it. */
  readonly syncApart: ((source: ConfiguredSource) => Promise<SyncResult>) | null
  readonly display: ProgressDisplay
  readonly onResult: (result: RunResult) => void
  readonly signal: AbortSignal
}

export type Watcher = ReturnType<typeof watchSources>

export function watchSources(call: Call, db: Database, options: WatchOptions) {
  const { display, signal } = options
  let config: Config = call.config
  let refs = new AbortController()
  /** What may lack embeddings: each until it was embedded once, and again after a sync. */
  const unembedded = new Set(config.sources.map(({ id }) => id))
  const findSource = (id: string) => config.sources.find((source) => source.id === id)

  const look = async (id: string): Promise<number> => {
    const source = findSource(id)
    if (source === undefined) return MIN_EVERY_MS
    try {
      display.started(id)
      const result = await (options.syncApart ?? syncHere)(source)
      display.finished(result)
      options.onResult(result)
      if (result.status !== 'up_to_date') unembedded.add(id)
      if (config.embed && isComplete(result) && unembedded.has(id)) await embed(id)
      return nextLookMs(result, source.everyMs)
    } catch (error) {
      // Nobody has thought of it; the other sources, and its own next look, go on.
      logProblem('error', errorProblem(error), id)
      return Math.max(source.everyMs, MIN_EVERY_MS)
    }
  }
  const syncHere = ({ everyMs: _, ...source }: ConfiguredSource) => {
    const { clones, search, keepDeletedMs } = config
    const { budgetMs } = options
    return syncSource(db, source, { budgetMs, clones, search, keepDeletedMs, signal, onProgress: display.progress })
  }
  const embed = async (id: string) => {
    const { embedSource } = await import('@tidemark/sync-core')
    const { budgetMs } = options
    const result = await embedSource(db, id, config.embedding!, { budgetMs, signal, onProgress: display.progress })
    display.finished(result)
    options.onResult(result)
    if (result.status === 'synced' || result.status === 'up_to_date') unembedded.delete(id)
  }
  const scheduler = createScheduler(look, options.concurrency)
  const follow = () => {
    refs.abort()
    refs = new AbortController()
    for (const { id, repo } of config.sources)
      if (!isRemote(repo)) void watchRefs(repo, () => scheduler.wake(id), AbortSignal.any([refs.signal, signal]))
    scheduler.setSources(config.sources.map(({ id }) => id))
  }
  follow()
  return {
    wake: scheduler.wake,
    /** Goes on with another configuration; what runs is not disturbed. */
    setConfig(next: Config) {
      const changed = next.sources.filter((source) => JSON.stringify(source) !== JSON.stringify(findSource(source.id)))
      config = next
      follow()
      for (const { id } of changed) scheduler.wake(id)
    },
    /** Begins no more looks, and waits for those that the signal is stopping. */
    async stop() {
      refs.abort()
      await scheduler.stop()
    },
  }
}

const isComplete = ({ status }: SyncResult) => status === 'up_to_date' || status === 'synced' || status === 'first_sync'

/** When to look again. What was stopped by its budget goes on when the others have had their turn. */
function nextLookMs(result: SyncResult, every: number): number {
  const everyMs = Math.max(every, MIN_EVERY_MS)
  if (result.status === 'partial' && result.reason === 'timeout') return 0
  if (result.status === 'busy') return BUSY_MS
  return everyMs * (1 - Math.random() * JITTER)
}
