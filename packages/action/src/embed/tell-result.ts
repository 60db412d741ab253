import * as core from '@actions/core'
import type { EmbedProgress, EmbedResult } from '@tidemark/sync-core'
import prettyMs from 'pretty-ms'
import { tellEnd } from '../job/tell-end.ts'

/** Where a run is, in a line. */
export function progressLine({ source, done, total }: EmbedProgress): string {
  return `${source}: ${done} of ${total} texts`
}

/** All of a result, in a group of the log by the name of its source. */
export function tellResult(result: EmbedResult): void {
  tellEnd(result, () => {
    const { model, chunksEmbedded, chunksQuarantined, chunksRemaining, requests, tokens, elapsedMs } = result
    const refused = chunksQuarantined > 0 ? `, ${chunksQuarantined} refused` : ''
    core.info(`${chunksEmbedded} texts embedded by ${model}${refused}; ${chunksRemaining ?? '?'} texts left`)
    core.info(`${prettyMs(elapsedMs)}: ${requests} requests, ${tokens} tokens`)
  })
}
