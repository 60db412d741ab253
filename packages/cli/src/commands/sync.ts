import { type Command, Option } from 'commander'
import { count, duration, several } from '../flags.ts'
import { BREAKING_RULE } from './breaking-rule.ts'
import { lazy } from './lazy.ts'
import { OUTCOMES } from './outcomes.ts'

/** `tidemark sync`: brings sources up to date. */
export function addSync(program: Command): void {
  program
    .command('sync')
    .summary('bring sources up to date')
    .description('Makes the pages of sources equal to their refs, or as many of them as the time allows.')
    .option('--source <id>', 'a source; can be given several times', several)
    .option('--all', 'all sources of the configuration')
    .option('--timeout <duration>', 'stop each source after that long, as partial', duration)
    .option('--wait <duration>', 'wait that long for a source that another process is syncing', duration)
    .option('--concurrency <n>', 'how many sources at a time', count, 4)
    .option('--independent', 'one process for each source, killed where it outlives its budget')
    .option('--break-lock-if-stale <duration>', 'first break a lease not refreshed for that long', duration)
    .option('--break-lock', 'break the leases of dead holders, tell a verdict for each source, and do not sync')
    .option('--max-age <duration>', 'with --break-lock: only leases not refreshed for that long', duration)
    .option('--force-break-lock', 'break the lease of a source although its holder is alive, and do not sync')
    .option('--dry-run', 'tell what would be done, and do nothing')
    .option('--full', 'write every page again')
    .option('--retry-quarantined', 'try again what could not be stored')
    .option('--allow-mass-delete', 'go on where most of a source would be deleted')
    .addOption(new Option('--as-child').hideHelp())
    .addHelpText(
      'after',
      `\nExamples:\n  $ tidemark sync --all\n  $ tidemark sync --source docs --timeout 10m\n  $ tidemark sync --all --independent --timeout 10m --concurrency 8\n\nBreaking leases:\n  ${BREAKING_RULE}\n\n${OUTCOMES}`,
    )
    .action(lazy(() => import('../actions/sync.ts')))
}
