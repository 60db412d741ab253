import type { EmbedResult, SyncResult } from '@tidemark/sync-core'
import type { Output } from './output.ts'

type Ended = SyncResult | EmbedResult

/** The words for what only one kind of run says. */
export interface EndingWords {
  /** What another process is doing with a source that is busy: `synced`. */
  readonly busyBeing: string
  /** What to do where too much of a source cannot be stored. */
  readonly afterFailures: string
}

/** The status, with its reason and in its colour. */
export function statusOf(result: Ended, output: Output): string {
  const { status } = result
  return output.paint(styleOf(status), 'reason' in result ? `${status} (${result.reason})` : status)
}

/** Tells what someone should know or do after a run. */
export function tellEnding(result: Ended, output: Output, { busyBeing, afterFailures }: EndingWords): void {
  const { source, status, warnings } = result
  for (const { message } of warnings) process.stderr.write(`tidemark: ${source}: ${message}\n`)
  if (status === 'blocked') output.note('  If that is meant, run again with --allow-mass-delete.')
  if (status === 'blocked_by_failures') output.note(`  ${afterFailures}`)
  if (status === 'failed')
    process.stderr.write(`tidemark: ${source}: ${result.error.message}\n  ${result.error.hint}\n`)
  if (status === 'busy') {
    const { host, pid } = result.holder
    output.note(
      `tidemark: ${source}: being ${busyBeing} by process ${pid} on ${host}\n  Wait for it with --wait 10m.`,
    )
  }
}

function styleOf(status: Ended['status']): 'red' | 'yellow' | 'green' {
  if (status === 'failed' || status === 'blocked' || status === 'blocked_by_failures') return 'red'
  return status === 'busy' || status === 'partial' ? 'yellow' : 'green'
}
