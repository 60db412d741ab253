import type { Command } from 'commander'
import { count } from '../flags.ts'
import { lazy } from './lazy.ts'

/** `tidemark runs`: what happened. */
export function addRuns(program: Command): void {
  program
    .command('runs')
    .summary('list the last runs')
    .option('--source <id>', 'only of this source')
    .option('--limit <n>', 'how many', count, 20)
    .addHelpText('after', '\nExample:\n  $ tidemark runs --source docs --limit 5')
    .action(lazy(() => import('../actions/runs.ts')))
}
