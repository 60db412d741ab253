import type { Command } from 'commander'

type Complete = (value: string, description: string) => void

/** Options and arguments that name a source, and what comes before the name. */
const NAMING = [
  { command: 'sync', option: 'source', prefix: '' },
  { command: 'embed', option: 'source', prefix: '' },
  { command: 'search', option: 'source', prefix: '' },
  { command: 'runs', option: 'source', prefix: '' },
  { command: 'sources set', argument: 'id', prefix: '' },
  { command: 'sources rename', argument: 'old', prefix: '' },
  { command: 'sources remove', argument: 'id', prefix: '' },
  { command: 'locks break', argument: 'key', prefix: 'sync:' },
]

/** `tidemark complete`: prints the completion of a shell and answers its requests; loaded when it runs. */
export async function addComplete(program: Command, args: readonly string[]): Promise<void> {
  const summary = 'print the completion of a shell: bash, zsh or fish'
  if (args[0] !== 'complete') {
    program.command('complete').summary(summary).argument('<shell>')
    return
  }
  const { default: tab } = await import('@bomb.sh/tab/commander')
  const completion = tab(program)
  const names = await readSourceNames()
  for (const { command, option, argument, prefix } of NAMING) {
    const words = completion.commands.get(command)!
    const named = option === undefined ? words.arguments.get(argument!)! : words.options.get(option)!
    named.handler = (complete: Complete) => {
      for (const name of names) complete(`${prefix}${name}`, 'source')
    }
  }
  program.commands
    .find((command) => command.name() === 'complete')!
    .summary(summary)
    .addHelpText('after', '\nExample:\n  $ source <(tidemark complete bash)')
}

/** The sources of the configuration that is found from here; none where it is not right. */
async function readSourceNames(): Promise<string[]> {
  const { isMap } = await import('yaml')
  const { readDocument } = await import('../config/document.ts')
  const { findConfig } = await import('../config/find-config.ts')
  try {
    const sources = readDocument(findConfig(undefined)).doc.get('sources')
    const names = isMap(sources) ? sources.items.map(({ key }) => String(key)) : []
    // What cannot be the name of a source is not for a shell or a terminal to read.
    return names.filter((name) => /^[\w.-]+$/.test(name))
  } catch {
    return []
  }
}
