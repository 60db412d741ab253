import tab from '@bomb.sh/tab/commander'
import type { Command } from 'commander'
import { isMap } from 'yaml'
import { readDocument } from './config/document.ts'
import { findConfig } from './config/find-config.ts'

type Complete = (value: string, description: string) => void

/** Options and arguments that name a source, and what comes before the name. */
const NAMING = [
  { command: 'sync', option: 'source', prefix: '' },
  { command: 'embed', option: 'source', prefix: '' },
  { command: 'search', option: 'source', prefix: '' },
  { command: 'runs', option: 'source', prefix: '' },
  { command: 'sources remove', argument: 'id', prefix: '' },
  { command: 'locks break', argument: 'key', prefix: 'sync:' },
]

/** Adds `tidemark complete`, which prints the completion of a shell and answers what it asks. */
export function addCompletion(program: Command): void {
  const completion = tab(program)
  for (const { command, option, argument, prefix } of NAMING) {
    const words = completion.commands.get(command)!
    const named = option === undefined ? words.arguments.get(argument!)! : words.options.get(option)!
    named.handler = (complete: Complete) => {
      for (const name of sourceNames()) complete(`${prefix}${name}`, 'source')
    }
  }
  program.commands
    .find((command) => command.name() === 'complete')!
    .summary('print the completion of a shell: bash, zsh or fish')
    .addHelpText('after', '\nExample:\n  $ source <(tidemark complete bash)')
}

/** The sources of the configuration that is found from here; none where it is not right. */
function sourceNames(): string[] {
  try {
    const sources = readDocument(findConfig(undefined)).doc.get('sources')
    return isMap(sources) ? sources.items.map(({ key }) => String(key)) : []
  } catch {
    return []
  }
}
