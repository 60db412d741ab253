import type { Change, ChangeList, Database } from '@tidemark/sync-core'
import { type Command, Option } from 'commander'
import type { Call } from '../call.ts'
import { formatCommit } from '../output/format.ts'
import type { Output } from '../output/output.ts'
import { stopOnSignals } from '../runtime/stop-on-signals.ts'
import { UsageError } from '../usage-error.ts'
import { defineAction } from './define-action.ts'
import { parseCount } from './flags.ts'

/** `tidemark changes`: what an application that follows the mirror has missed. */
export function addChanges(program: Command): void {
  program
    .command('changes')
    .summary('list what has changed in a source since a cursor')
    .description(
      'Lists the pages of a source that were added, changed, renamed or deleted since a cursor, each once, as it is now, and the cursor to go on with. Changes nothing.',
    )
    .requiredOption('--source <id>', 'of this source')
    .option('--after <cursor>', 'go on after it; 0 begins at the beginning', '0')
    .option('--limit <n>', 'how many at a time', parseCount, 1_000)
    .option('--follow', 'wait for more, until it is stopped; with --json each list is a line')
    .addOption(new Option('--with <what>', 'what each page holds too').choices(['content']))
    .addHelpText('after', '\nExample:\n  $ tidemark changes --source docs --after 0 --json')
    .action(defineAction(changes))
}

interface ChangesFlags {
  readonly source: string
  readonly after: string
  readonly limit: number
  readonly follow?: boolean
  readonly with?: 'content'
}

async function changes(call: Call, flags: ChangesFlags): Promise<number | undefined> {
  const { source, after, limit, follow } = flags
  const { output, config } = call
  const { isEmbedded, readChanges } = await import('@tidemark/sync-core')
  const { getSource } = await import('../config/select-sources.ts')
  getSource(config, source)
  const options = { after, limit, content: flags.with === 'content' }
  if (follow && isEmbedded(call.databaseAddress)) {
    const hint =
      'Use a Postgres, ask again and again without --follow, or followChanges of @tidemark/sync-core in the process that syncs.'
    throw new UsageError('an embedded database belongs to one process: none could write while this one follows', hint)
  }
  if (follow) return followUntilStopped(call, source, options)
  const list = await call.withDatabase('read_only', (db) => readChanges(db, source, options)).catch(refuseBadCursor)
  if (output.json) output.printJson('changes', list)
  else if (list.changes.length > 0) await output.printTable(['seq', 'change', 'page', 'commit'], list.changes.map(row))
  if (!output.json) output.notify(`Go on with: tidemark changes --source ${source} --after ${list.cursor}`)
  return
}

async function followUntilStopped(
  call: Call,
  source: string,
  options: { readonly after: string; readonly limit: number; readonly content: boolean },
): Promise<number | undefined> {
  const { followChanges } = await import('@tidemark/sync-core')
  const { signal, exitCode } = stopOnSignals()
  const follow = async (db: Database) => {
    for await (const list of followChanges(db, source, { ...options, signal })) printList(list, call.output)
  }
  try {
    await call.withDatabase('read_only', follow, { signal })
  } catch (error) {
    if (!signal.aborted) refuseBadCursor(error as Error)
  }
  return exitCode()
}

/** What is no cursor is the user's to mend. */
function refuseBadCursor(error: Error & { code?: string; hint?: string }): never {
  throw error.code === 'BAD_CURSOR' ? new UsageError(error.message, error.hint!, error) : error
}

function printList(list: ChangeList, output: Output): void {
  if (output.json) output.printJsonLine('changes --follow', list)
  else output.print(...list.changes.map((change) => row(change).join('  ')))
}

const row = ({ seq, change, path, from, commit }: Change): string[] => [
  String(seq),
  change,
  from === undefined ? path : `${from} → ${path}`,
  formatCommit(commit),
]
