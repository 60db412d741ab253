import type { EmbedResult } from './embed-result.ts'

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
