import type { Command } from 'commander'
import { duration } from '../flags.ts'
import { lazy } from './lazy.ts'

/** `tidemark sources`: what is mirrored. */
export function addSources(program: Command): void {
  const sources = program
    .command('sources')
    .summary('list, add or remove what is mirrored')
    .addHelpText('after', '\nExample:\n  $ tidemark sources list')

  sources
    .command('list', { isDefault: true })
    .summary('list the sources of the configuration')
    .addHelpText('after', '\nExample:\n  $ tidemark sources list --json')
    .action(lazy(() => import('../actions/sources-list.ts')))

  sources
    .command('add')
    .summary('add a git repository to the configuration')
    .argument('<id>', 'a short name: letters, digits, ".", "_" and "-"')
    .argument('<repo>', 'path of a git repository, or an https, ssh or file address')
    .option('--ref <ref>', 'branch, tag or commit (default: HEAD)')
    .option('--subpath <folder>', 'mirror only this folder of it')
    .option('--include <pattern...>', 'mirror only files that match, as in .gitignore')
    .option('--exclude <pattern...>', 'do not mirror files that match')
    .option('--every <duration>', 'how often it is due (default: what the configuration says, or 1h)', duration)
    .addHelpText('after', '\nExample:\n  $ tidemark sources add docs ../docs --ref main')
    .action(lazy(() => import('../actions/sources-add.ts')))

  sources
    .command('remove')
    .summary('take a source out of the configuration')
    .description('Takes a source out of the configuration. Its pages stay in the database unless --purge is given.')
    .argument('<id>')
    .option('--purge', 'also remove its pages, chunks, links and runs from the database; asks first')
    .option('--yes', 'with --purge: do not ask')
    .addHelpText('after', '\nExample:\n  $ tidemark sources remove docs --purge')
    .action(lazy(() => import('../actions/sources-remove.ts')))
}
