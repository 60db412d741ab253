import type { Ground } from '../ground/ground.ts'
import type { Limits } from '../reproducer/limits.ts'
import type { GeneratedSource } from '../sources/generate.ts'
import type { Shape } from '../sources/shape.ts'

/** What every policy is given alike. */
export interface Scene {
  readonly ground: Ground
  readonly limits: Limits
  readonly sources: readonly (Shape & GeneratedSource)[]
  readonly embeddingUrl: string
  /** Shows something that should not be. */
  tell(line: string): void
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
  /** Who had the lock that refused it. */
  readonly refusedBy?: 'the dead' | 'the living' | undefined
}

export interface WaveWork {
  /** Whether a limit has killed a process. */
  readonly cut: boolean
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
