import type { Command } from 'commander'
import { lazy } from './lazy.ts'

/** `tidemark migrate`: the tables. */
export function addMigrate(program: Command): void {
  program
    .command('migrate')
    .summary('make or update the tables in the database')
    .description('Makes or updates the tables. A sync does so too where it may; this is for those whose may not.')
    .option('--dry-run', 'print the SQL that would be run, and run none')
    .option('--adopt <table>', 'add heartbeat and fence to a table of leases that another program has made')
    .addHelpText('after', '\nExamples:\n  $ tidemark migrate --dry-run > for-the-dba.sql\n  $ tidemark migrate')
    .action(lazy(() => import('../actions/migrate.ts')))
}
