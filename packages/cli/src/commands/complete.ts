import type { Command } from 'commander'

/** `tidemark complete`, for help only: what it does is loaded when it is asked for. */
export function addComplete(program: Command): void {
  program.command('complete').summary('print the completion of a shell: bash, zsh or fish').argument('<shell>')
}
