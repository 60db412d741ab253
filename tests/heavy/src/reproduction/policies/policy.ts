import type { GeneratedSource } from '../../harness/generate-source.ts'
import type { Harness } from '../../harness/harness.ts'
import type { EmbeddingService } from '../embedding-service.ts'
import type { Observer } from '../observe.ts'
import type { Limits, Shape } from '../schedule.ts'

/** What every policy is given alike. */
export interface PolicyContext {
  readonly harness: Harness
  readonly limits: Limits
  /** With what it takes to store one of their pages in a worker of the old policy. */
  readonly sources: readonly (Shape & GeneratedSource & { readonly pageMs: number })[]
  readonly embedding: EmbeddingService
}

/** What a policy's processes did to one source. */
export interface SourceWork {
  readonly source: string
  /** By the process's own clock, `performance.now()`. */
  readonly startMs: number
  readonly endMs: number
  /** Files that were read; null where a process was killed before it could say. */
  readonly read: number | null
  /** Whether it was ended, by its budget or by a kill, before it was done. */
  readonly stopped: boolean
  /** Whether a lock refused it: that of a dead run, because the waves of a policy do not overlap. */
  readonly locked: boolean
}

export interface WaveWork {
  /** Whether a limit has killed a process. */
  readonly killed: boolean
  readonly work: readonly SourceWork[]
}

/** By the hard limit of its caller, or by `timeout` of coreutils: 124, or 137 where that was with SIGKILL. */
export const wasKilled = ({ killed, exitCode }: { killed: boolean; exitCode: number | null }) =>
  killed || exitCode === 124 || exitCode === 137

/** A policy with its own database, its sources in it as they are before the first wave. */
export interface Policy {
  readonly name: string
  readonly observer: Observer
  wave(): Promise<WaveWork>
  /** Embeds after a wave what has no embedding yet; the old policy does so in its wave. */
  readonly embed?: () => Promise<void>
  /** Brings in all that there is, undisturbed; only ours has to. */
  readonly finish?: () => Promise<void>
}

/** A process for each source, one after the other. */
export async function runInTurn({ sources, harness }: PolicyContext, run: (source: string) => Promise<WaveWork>) {
  const waves: WaveWork[] = []
  for (const { id } of sources) {
    harness.signal.throwIfAborted()
    waves.push(await run(id))
  }
  return { killed: waves.some(({ killed }) => killed), work: waves.flatMap(({ work }) => work) }
}
