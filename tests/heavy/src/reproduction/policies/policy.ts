import type { GeneratedSource } from '../../harness/generate-source.ts'
import type { Harness } from '../../harness/harness.ts'
import type { Limits, Shape } from '../schedule.ts'

/** What every policy is given alike. */
export interface PolicyContext {
  readonly harness: Harness
  readonly limits: Limits
  readonly sources: readonly (Shape & GeneratedSource)[]
  readonly embeddingUrl: string
}

/** What a policy's processes did to one source. */
export interface SourceWork {
  readonly source: string
  /** By the process's own clock, `performance.now()`. */
  readonly startMs: number
  readonly endMs: number
  readonly read: number
  /** Of what was read: versions that this policy had not read before. */
  readonly stored: number
  /** Whether what was stored stays stored without a bookmark. */
  readonly keeps: boolean
  /** Who had the lock that refused it: a process that is running, or one that is dead. */
  readonly refusedBy?: 'running' | 'stale_lock' | undefined
}

export interface WaveWork {
  /** Whether a limit has killed a process. */
  readonly killed: boolean
  readonly work: readonly SourceWork[]
}

/** A policy with its own database, its sources in it as they are before the first wave. */
export interface Policy {
  readonly name: string
  wave(): Promise<WaveWork>
  /** The commit that each source has completely. */
  bookmarks(): Promise<ReadonlyMap<string, string | null>>
  close(): Promise<void>
}

/** A process for each source, one after the other, until the run is stopped. */
export async function runInTurn(
  { sources, harness }: PolicyContext,
  run: (source: string) => Promise<WaveWork>,
): Promise<WaveWork> {
  const waves: WaveWork[] = []
  for (const { id } of sources) {
    if (harness.signal.aborted) break
    waves.push(await run(id))
  }
  return { killed: waves.some(({ killed }) => killed), work: waves.flatMap(({ work }) => work) }
}
