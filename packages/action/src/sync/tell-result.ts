import * as core from '@actions/core'
import type { Progress, SyncResult } from '@tidemark/sync-core'
import prettyMs from 'pretty-ms'
import { filesDone } from './runs-left.ts'

/** A log that is followed shows life, and one that is read later is not all progress. */
const EVERY_MS = 10_000

/** Tells now and then where a run is. */
export function tellProgress(): (progress: Progress) => void {
  let told = performance.now()
  return ({ source, phase, done, total }) => {
    if (performance.now() - told < EVERY_MS) return
    told = performance.now()
    core.info(`${source}: ${phase}${total === null ? '' : `, ${done} of ${total} files`}`)
  }
}

/** All of a result, in a group of the log by the name of its source. */
export function tellResult(result: SyncResult): void {
  const { source, status, phases, elapsedMs, bookmark, target, warnings } = result
  core.startGroup(`${source}: ${status}${'reason' in result ? ` (${result.reason})` : ''}`)
  core.info(`${bookmark ?? 'nothing'} is in, ${target ?? 'unknown'} is wanted`)
  core.info(
    `${changesOf(result)}; ${result.blobsRead} blobs read; ${result.filesRemaining ?? '?'} files left`,
  )
  const spent = Object.entries(phases).map(([phase, ms]) => `${phase} ${prettyMs(ms)}`)
  core.info(`${prettyMs(elapsedMs)}: ${spent.join(', ')}`)
  for (const { message } of warnings) core.info(quoted(message))
  if (result.status === 'failed') core.info(quoted(`${result.error.message}\n${result.error.hint}`))
  core.endGroup()
}

/** A runner takes a line that begins with "::" for a command, also behind spaces, and a server may send one. */
function quoted(text: string): string {
  return text
    .split(/[\r\n]+/)
    .map((line) => `| ${line}`)
    .join('\n')
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
