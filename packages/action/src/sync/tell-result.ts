import * as core from '@actions/core'
import type { Progress, SyncResult } from '@tidemark/sync-core'
import prettyMs from 'pretty-ms'
import { tellEnd } from '../job/tell-end.ts'
import { filesDone } from './files-done.ts'

/** Where a run is, in a line. */
export function progressLine({ source, phase, done, total }: Progress): string {
  return `${source}: ${phase}${total === null ? '' : `, ${done} of ${total} files`}`
}

/** All of a result, in a group of the log by the name of its source. */
export function tellResult(result: SyncResult): void {
  tellEnd(result, () => {
    const { phases, elapsedMs, bookmark, target, blobsRead, filesRemaining } = result
    core.info(`${bookmark ?? 'nothing'} is in, ${target ?? 'unknown'} is wanted`)
    core.info(`${changesOf(result)}; ${blobsRead} blobs read; ${filesRemaining ?? '?'} files left`)
    const spent = Object.entries(phases).map(([phase, ms]) => `${phase} ${prettyMs(ms)}`)
    core.info(`${prettyMs(elapsedMs)}: ${spent.join(', ')}`)
  })
}

/** `3 added, 1 deleted`, or that nothing was changed. */
export function changesOf(result: SyncResult): string {
  if (filesDone(result) === 0) return 'no changes'
  const { filesImported, filesUpdated, filesRenamed, filesDeleted, filesQuarantined } = result
  const counts = {
    added: filesImported,
    changed: filesUpdated,
    renamed: filesRenamed,
    deleted: filesDeleted,
    'set aside': filesQuarantined,
  }
  const told = Object.entries(counts).filter(([, count]) => count > 0)
  return told.map(([what, count]) => `${count} ${what}`).join(', ')
}
