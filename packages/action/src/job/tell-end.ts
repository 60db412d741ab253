import * as core from '@actions/core'
import type { EmbedResult, SyncResult } from '@tidemark/sync-core'

/** Tells how a run ended, in a group of the log by the name of its source. @param tellMore what else there is of it */
export function tellEnd(result: SyncResult | EmbedResult, tellMore: () => void): void {
  core.startGroup(`${result.source}: ${endedAs(result)}`)
  tellMore()
  for (const { message } of result.warnings) core.info(quoted(message))
  if (result.status === 'failed') core.info(quoted(`${result.error.message}\n${result.error.hint}`))
  core.endGroup()
}

/** The status of a result, with the reason where there is one: `partial (timeout)`. */
export function endedAs(result: SyncResult | EmbedResult): string {
  return 'reason' in result ? `${result.status} (${result.reason})` : result.status
}

/** A runner takes a line that begins with "::" for a command, also behind spaces, and a server may send one. */
function quoted(text: string): string {
  return text
    .split(/[\r\n]+/)
    .map((line) => `| ${line}`)
    .join('\n')
}
