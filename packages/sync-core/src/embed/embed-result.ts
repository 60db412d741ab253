import type { Outcome } from '../run/outcome.ts'

/** How the embedding of one source ended. */
export type EmbedResult = Outcome & {
  /** Id of the source. */
  readonly source: string
  readonly model: string
  /** Texts that were embedded; one that stands in many chunks counts once. */
  readonly chunksEmbedded: number
  /** Texts that the server does not embed; see `tidemark.embedding_quarantine`. */
  readonly chunksQuarantined: number
  /** What is left for the next run; null where the run stopped before it knew. */
  readonly chunksRemaining: number | null
  readonly requests: number
  /** As the server has counted them. */
  readonly tokens: number
  readonly elapsedMs: number
  readonly warnings: readonly { readonly code: string; readonly message: string }[]
  /** Of a dry run: what the rest would take. */
  readonly estimate?: {
    readonly tokens: number
    /** Null where the configuration says no price. */
    readonly cost: number | null
  }
}

/** Where an embedding run is. */
export interface EmbedProgress {
  readonly source: string
  readonly done: number
  readonly total: number
  readonly elapsedMs: number
}

/** The result of a source whose embedding was stopped before it began. */
export function cancelledEmbedResult(source: string, model: string): EmbedResult {
  return {
    source,
    model,
    status: 'partial',
    reason: 'cancelled',
    chunksEmbedded: 0,
    chunksQuarantined: 0,
    chunksRemaining: null,
    requests: 0,
    tokens: 0,
    elapsedMs: 0,
    warnings: [],
  }
}
