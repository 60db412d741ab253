import type { Database } from '@tidemark/sync-core'
import type { Command } from 'commander'
import type { Call } from '../call.ts'
import { formatDuration } from '../output/format.ts'
import { defineAction } from './define-action.ts'
import { parseDuration } from './flags.ts'

/** `tidemark prune`: forgets what nobody asks for any more. */
export function addPrune(program: Command): void {
  program
    .command('prune')
    .summary('forget what was deleted and renamed long ago')
    .description(
      'Forgets which pages were deleted and renamed longer ago than keepDeleted in the configuration says (30 days by default). A sync that brings a change does so too, for its source. Whoever follows changes with an older cursor has to begin anew.',
    )
    .option('--source <id>', 'only of this source')
    .option('--keep <duration>', 'forget what is older than that', parseDuration)
    .addHelpText('after', '\nExample:\n  $ tidemark prune --keep 168h')
    .action(defineAction(prune))
}

async function prune(call: Call, { source, keep }: { source?: string; keep?: number }): Promise<void> {
  const { pruneChanges } = await import('@tidemark/sync-core')
  const { getSource } = await import('../config/select-sources.ts')
  const { output, config } = call
  const sources = source === undefined ? config.sources : [getSource(config, source)]
  const keepMs = keep ?? config.keepDeletedMs
  const pruneAll = async (db: Database) => {
    const results: { source: string; pruned: number }[] = []
    for (const { id } of sources) results.push({ source: id, pruned: await pruneChanges(db, id, keepMs) })
    return results
  }
  const results = await call.withDatabase('read_only', pruneAll)
  if (output.json) return output.printJson('prune', { results })
  for (const { source, pruned } of results)
    output.print(`${source}: forgot ${pruned} deleted or renamed pages older than ${formatDuration(keepMs)}.`)
}
