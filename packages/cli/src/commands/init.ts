import type { Command } from 'commander'
import { lazy } from './lazy.ts'

/** `tidemark init`: writes a configuration to start from. */
export function addInit(program: Command): void {
  program
    .command('init')
    .summary('write a tidemark.yaml')
    .description(
      'Writes a tidemark.yaml with comments into this folder. In a git repository, that is its first source.',
    )
    .addHelpText('after', '\nExample:\n  $ cd my-docs && tidemark init && tidemark sync --all')
    .action(lazy(() => import('../actions/init.ts')))
}
