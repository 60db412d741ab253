import type { Count, Outcome } from './outcome.ts'

/** What an embedding run has done. */
export interface EmbedCounts {
  /** Texts that were embedded; one that stands in many chunks counts once. */
  chunksEmbedded: Count
  /** Texts that the server does not embed; see `tidemark.embedding_quarantine`. */
  chunksQuarantined: Count
  /** What is left for the next run; null where the run stopped before it knew. */
  chunksRemaining: Count | null
  requests: Count
  /** As the server has counted them. */
  tokens: Count
  /** Of a dry run; no cost where no price is known. */
  estimate?: { readonly tokens: Count; readonly cost: number | null }
}

/** How the embedding of one source ended. */
export type EmbedResult = Outcome &
  Readonly<EmbedCounts> & {
    readonly source: string
    readonly model: string
    readonly elapsedMs: number
    readonly warnings: readonly { readonly code: string; readonly message: string }[]
  }

/** Where an embedding run is. */
export interface EmbedProgress {
  readonly source: string
  /** What is counted: texts, or in `index` how far the server is with the index of the vectors, in parts of a table. */
  readonly phase: 'embed' | 'index'
  readonly done: number
  readonly total: number
  readonly elapsedMs: number
}

export function noEmbedCounts(): EmbedCounts {
  return { chunksEmbedded: 0, chunksQuarantined: 0, chunksRemaining: null, requests: 0, tokens: 0 }
}

/** The result of a source whose embedding has not begun. */
export function emptyEmbedResult(source: string, model: string, outcome: Outcome): EmbedResult {
  return { source, model, ...outcome, ...noEmbedCounts(), elapsedMs: 0, warnings: [] }
}
