import type { Command } from 'commander'
import { duration, several } from '../flags.ts'
import { lazy } from './lazy.ts'
import { OUTCOMES } from './outcomes.ts'

/** `tidemark embed`: vectors for search by meaning. */
export function addEmbed(program: Command): void {
  program
    .command('embed')
    .summary('embed what is mirrored, for search by meaning')
    .description(
      'Has the chunks of sources embedded that have not been yet, or as many of them as the time allows, by the server that the configuration names. The same text is embedded once, wherever it stands.',
    )
    .option('--source <id>', 'a source; can be given several times', several)
    .option('--all', 'all sources of the configuration, one after another')
    .option('--timeout <duration>', 'stop each source after that long, as partial', duration)
    .option('--model <name>', 'another model than the one of the configuration')
    .option('--wait <duration>', 'wait that long for a source that another process is embedding', duration)
    .option('--dry-run', 'tell how much there is to embed and what that may cost, and do nothing')
    .option(
      '--gc',
      'then remove embeddings of texts that are gone and of models that this one has replaced; alone: only that',
    )
    .option('--retry-quarantined', 'try again what the server has refused')
    .addHelpText(
      'after',
      `\nExamples:\n  $ tidemark embed --all --dry-run\n  $ tidemark embed --all --timeout 10m\n  $ tidemark embed --gc\n\n${OUTCOMES}`,
    )
    .action(lazy(() => import('../actions/embed.ts')))
}
