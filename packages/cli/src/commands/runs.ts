import type { RunRecord } from '@tidemark/sync-core'
import type { Command } from 'commander'
import type { Call } from '../call.ts'
import { formatCommit, formatDuration, formatTime } from '../output/format.ts'
import { defineAction } from './define-action.ts'
import { parseCount } from './flags.ts'

/** `tidemark runs`: what happened. */
export function addRuns(program: Command): void {
  program
    .command('runs')
    .summary('list the last runs')
    .option('--source <id>', 'only of this source')
    .option('--failed', 'only those that failed, were killed, or wait for a person')
    .option('--limit <n>', 'how many', parseCount, 20)
    .addHelpText('after', '\nExample:\n  $ tidemark runs --source docs --failed --limit 5')
    .action(defineAction(runs))
}

interface RunsFlags {
  readonly source?: string
  readonly failed?: boolean
  readonly limit: number
}

async function runs(call: Call, { source, failed, limit }: RunsFlags): Promise<void> {
  const { config, output } = call
  const { readRuns } = await import('@tidemark/sync-core')
  const { getSource } = await import('../config/select-sources.ts')
  if (source !== undefined) getSource(config, source)
  const records = await call.withDatabase('read_only', (db) => readRuns(db, { source, failed, limit }))
  if (output.json) output.printJson('runs', { runs: records })
  else if (records.length === 0) output.notify(failed ? 'No run has failed.' : 'There has been no run yet.')
  else
    await output.printTable(['source', 'started', 'status', 'commit', 'files', 'left', 'time', 'why'], records.map(row))
}

function row({ source, startedAt, finishedAt, status, reason, toCommit, counts, message }: RunRecord): string[] {
  const { filesImported = 0, filesUpdated = 0, filesRenamed = 0, filesDeleted = 0 } = counts ?? {}
  const { filesRemaining, elapsedMs } = counts ?? {}
  return [
    source,
    formatTime(startedAt),
    finishedAt === null ? 'running' : reason === null ? status! : `${status} (${reason})`,
    formatCommit(toCommit),
    counts === null ? '–' : String(filesImported + filesUpdated + filesRenamed + filesDeleted),
    filesRemaining === undefined || filesRemaining === null ? '–' : String(filesRemaining),
    finishedAt === null ? '–' : formatDuration(elapsedMs ?? finishedAt.getTime() - startedAt.getTime()),
    message ?? '–',
  ]
}
