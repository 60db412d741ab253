import type { RunRecord } from '@tidemark/sync-core'
import type { Command } from 'commander'
import type { Call } from '../call.ts'
import { formatAgo, formatCommit, formatDuration } from '../output/format.ts'
import { defineAction } from './define-action.ts'
import { parseCount } from './flags.ts'

/** `tidemark runs`: what happened. */
export function addRuns(program: Command): void {
  program
    .command('runs')
    .summary('list the last runs')
    .option('--source <id>', 'only of this source')
    .option('--limit <n>', 'how many', parseCount, 20)
    .addHelpText('after', '\nExample:\n  $ tidemark runs --source docs --limit 5')
    .action(defineAction(runs))
}

async function runs(call: Call, { source, limit }: { source?: string; limit: number }): Promise<void> {
  const { config, output } = call
  const { readRuns } = await import('@tidemark/sync-core')
  const { getSource } = await import('../config/select-sources.ts')
  if (source !== undefined) getSource(config, source)
  const records = await call.withDatabase('read_only', (db) => readRuns(db, { source, limit }))
  if (output.json) output.printJson('runs', { runs: records })
  else if (records.length === 0) output.notify('There has been no run yet.')
  else await output.printTable(['source', 'started', 'status', 'commit', 'files', 'left', 'time'], records.map(row))
}

function row({ source, startedAt, finishedAt, status, reason, toCommit, counts }: RunRecord): string[] {
  const { filesImported = 0, filesUpdated = 0, filesRenamed = 0, filesDeleted = 0 } = counts ?? {}
  const { filesRemaining, elapsedMs } = counts ?? {}
  return [
    source,
    formatAgo(startedAt),
    finishedAt === null ? 'running or killed' : reason === null ? status! : `${status} (${reason})`,
    formatCommit(toCommit),
    counts === null ? '–' : String(filesImported + filesUpdated + filesRenamed + filesDeleted),
    filesRemaining === undefined || filesRemaining === null ? '–' : String(filesRemaining),
    elapsedMs === undefined ? '–' : formatDuration(elapsedMs),
  ]
}
