import type { Command } from 'commander'

type Complete = (value: string, description: string) => void

/** Options and arguments that name a source, and what comes before the name. */
const NAMING = [
  { command: 'sync', option: 'source', prefix: '' },
  { command: 'embed', option: 'source', prefix: '' },
  { command: 'search', option: 'source', prefix: '' },
  { command: 'runs', option: 'source', prefix: '' },
  { command: 'quarantine', option: 'source', prefix: '' },
  { command: 'sources set', argument: 'id', prefix: '' },
  { command: 'sources rename', argument: 'old', prefix: '' },
  { command: 'sources remove', argument: 'id', prefix: '' },
  { command: 'locks break', argument: 'key', prefix: 'sync:' },
]

/**
 * `tidemark complete`: prints the completion of a shell and answers its requests; loaded when it runs.
 *
 * @returns whether that has been done already.
 */
export async function addComplete(program: Command, args: readonly string[]): Promise<boolean> {
  const summary = 'print the completion of a shell: bash, zsh or fish'
  if (args[0] !== 'complete') {
    program.command('complete').summary(summary).argument('<shell>')
    return false
  }
  const [, shell, ...words] = args
  if (shell === 'bash') {
    process.stdout.write((await import('./complete-bash.ts')).BASH_COMPLETION)
    return true
  }
  if (shell === 'zsh') {
    process.stdout.write((await import('./complete-zsh.ts')).ZSH_COMPLETION)
    return true
  }
  if (shell === '--' && isFile(words)) {
    console.log(COMPLETE_FILES)
    return true
  }
  const { default: tab } = await import('@bomb.sh/tab/commander')
  const completion = tab(program)
  // Options of every command that are known of the program alone.
  for (const [name, words] of completion.commands) {
    if (name === 'complete') continue
    for (const [option, known] of completion.options) if (!words.options.has(option)) words.options.set(option, known)
  }
  const names = await readSourceNames(words[words.indexOf('--config') + 1 || words.length])
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
  return false
}

/** To the scripts of the shells: complete the name of a file. */
const COMPLETE_FILES = ':0'

/** Whether what is being typed last is the name of a file or a folder. */
function isFile(words: readonly string[]): boolean {
  const [before = '', current = ''] = words.slice(-2)
  if (/^--(config|database)$/.test(before) || /^--(config|database)=/.test(current)) return true
  const [command, subcommand, , repo] = words.filter((word) => !word.startsWith('-'))
  return command === 'sources' && subcommand === 'add' && repo !== undefined
}

/** The sources of a configuration, or of the one that is found from here; none where it is not right. */
async function readSourceNames(config: string | undefined): Promise<string[]> {
  const { isMap } = await import('yaml')
  const { readDocument } = await import('../config/document.ts')
  const { findConfig } = await import('../config/find-config.ts')
  try {
    const sources = readDocument(findConfig(config)).doc.get('sources')
    const names = isMap(sources) ? sources.items.map(({ key }) => String(key)) : []
    // What cannot be the name of a source is not for a shell or a terminal to read.
    return names.filter((name) => /^[\w.-]+$/.test(name))
  } catch {
    return []
  }
}
