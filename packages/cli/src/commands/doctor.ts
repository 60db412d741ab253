import type { Command } from 'commander'
import { lazy } from './lazy.ts'

/** `tidemark doctor`: what is wrong, and what mends it. */
export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .summary('find out what is wrong, and the command that mends it')
    .description(
      'Looks at git, the configuration, the database, its tables, pgvector where something is to be embedded, the leases, the clocks and every source. Changes nothing. Exit code 1 where something is wrong.',
    )
    .addHelpText('after', '\nExample:\n  $ tidemark doctor')
    .action(lazy(() => import('../actions/doctor.ts')))
}
