import type { Command } from 'commander'
import { lazy } from './lazy.ts'

/** `tidemark show`: a page. */
export function addShow(program: Command): void {
  program
    .command('show')
    .summary('print a page, what it links to and what links to it')
    .description('Prints a page as it is mirrored, what it links to and what links to it. Changes nothing.')
    .argument('<page>', 'a source and a path in it, as search prints them: docs:guide/start.md')
    .addHelpText('after', '\nExample:\n  $ tidemark show docs:guide/start.md')
    .action(lazy(() => import('../actions/show.ts')))
}
