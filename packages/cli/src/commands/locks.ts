import type { Command } from 'commander'
import { duration } from '../flags.ts'
import { BREAKING_RULE } from './breaking-rule.ts'
import { lazy } from './lazy.ts'

/** `tidemark locks`: who is at work. */
export function addLocks(program: Command): void {
  const locks = program
    .command('locks')
    .summary('list leases, or break one')
    .addHelpText('after', '\nExample:\n  $ tidemark locks list')

  locks
    .command('list', { isDefault: true })
    .summary('list the leases that are held, or whose holder has died')
    .addHelpText('after', '\nExample:\n  $ tidemark locks list --json')
    .action(lazy(() => import('../actions/locks-list.ts')))

  locks
    .command('break')
    .summary('break a lease whose holder shows no sign of life')
    .description(`Ends the lease of a key. ${BREAKING_RULE}`)
    .argument('<key>', 'as listed, for example sync:docs')
    .option('--max-age <duration>', 'once it was not refreshed for that long', duration)
    .option('--force', 'although its holder is alive')
    .addHelpText('after', '\nExample:\n  $ tidemark locks break sync:docs --max-age 30m')
    .action(lazy(() => import('../actions/locks-break.ts')))
}
