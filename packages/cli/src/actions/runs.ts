import { type RunRecord, readRuns } from '@tidemark/sync-core'
import type { Command } from 'commander'
import { table } from '../show/table.ts'
import { ago, duration, shortCommit } from '../show/words.ts'
import { configOf, sourceNamed, withDatabaseReadOnly } from './context.ts'
import { outputOf } from './globals.ts'

/** Lists the last runs. */
export default async function runs(
  { source, limit }: { source?: string; limit: number },
  command: Command,
): Promise<void> {
  const output = outputOf(command)
  const config = configOf(command)
  if (source !== undefined) sourceNamed(config, source)
  const records = await withDatabaseReadOnly(command, config, (db) => readRuns(db, { source, limit }))
  if (output.json) {
    output.printJson({ runs: records })
    return
  }
  if (records.length === 0) output.note('There has been no run yet.')
  else output.print(table(['source', 'started', 'status', 'commit', 'files', 'left', 'time'], records.map(row)))
}

function row({ source, startedAt, finishedAt, status, reason, toCommit, counts }: RunRecord): string[] {
  const {
    filesImported = 0,
    filesUpdated = 0,
    filesRenamed = 0,
    filesDeleted = 0,
    filesRemaining,
    elapsedMs,
  } = counts ?? {}
  return [
    source,
    ago(startedAt),
    finishedAt === null ? 'running or killed' : reason === null ? status! : `${status} (${reason})`,
    shortCommit(toCommit),
    counts === null ? '–' : String(filesImported + filesUpdated + filesRenamed + filesDeleted),
    filesRemaining === undefined || filesRemaining === null ? '–' : String(filesRemaining),
    elapsedMs === undefined ? '–' : duration(elapsedMs),
  ]
}
