import type { Command } from 'commander'
import type { Call } from '../call.ts'
import { formatAgo } from '../output/format.ts'
import { defineAction } from './define-action.ts'

/** `tidemark quarantine`: the files that are set aside. */
export function addQuarantine(program: Command): void {
  program
    .command('quarantine')
    .summary('list the files that cannot be stored, why, and what mends it')
    .description(
      'A file is tried again when it changes, with a release that parses differently, or by tidemark sync --retry-quarantined.',
    )
    .option('--source <id>', 'only of this source')
    .addHelpText('after', '\nExample:\n  $ tidemark quarantine --source docs')
    .action(defineAction(quarantine))
}

async function quarantine(call: Call, { source }: { source?: string }): Promise<void> {
  const { config, output } = call
  const { listQuarantine, QUARANTINE_STEPS } = await import('@tidemark/sync-core')
  const { getSource } = await import('../config/select-sources.ts')
  if (source !== undefined) getSource(config, source)
  const records = await call.withDatabase('read_only', (db) => listQuarantine(db, source ?? null))
  const files = records.map((record) => ({ ...record, fix: QUARANTINE_STEPS[record.code] }))
  if (output.json) output.printJson('quarantine', { files })
  else if (files.length === 0) output.notify('No file is set aside.')
  else
    output.print(
      ...files.flatMap(({ source, path, message, fix, firstSeenAt }) => [
        `${source}:${path}  (${formatAgo(firstSeenAt)})`,
        `  ${message}`,
        `  ${fix}`,
      ]),
    )
}
