import type { Command } from 'commander'
import { lazy } from './lazy.ts'

/** `tidemark status`: where each source stands. */
export function addStatus(program: Command): void {
  program
    .command('status')
    .summary('tell where each source stands')
    .description('Compares what the database holds with what the refs name now. Changes nothing.')
    .addHelpText('after', '\nExample:\n  $ tidemark status --json')
    .action(lazy(() => import('../actions/status.ts')))
}
