import type { EmbedProgress, EmbedResult } from '@tidemark/sync-core'
import type { Live, Telling } from '../show/live.ts'
import { duration, pace } from '../show/words.ts'

export type EmbedLive = Live<EmbedProgress, EmbedResult>

/** What is told of an embedding run while it runs; its total is 0 until that is known. */
export const embedTelling: Telling<EmbedProgress, EmbedResult> = {
  line: (progress) => (progress.total === 0 ? 'preparing …' : `embedding ${pace(progress, 'chunks')}`),
  step: ({ total }) => (total === 0 ? null : `embedding ${total} chunks`),
  end: ({ status, chunksEmbedded, elapsedMs }) =>
    `${status}, ${chunksEmbedded} chunks embedded in ${duration(elapsedMs)}`,
}
