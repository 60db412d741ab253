import { Command, CommanderError } from 'commander'
import { addChanges } from './commands/changes.ts'
import { addComplete } from './commands/complete.ts'
import { addDoctor } from './commands/doctor.ts'
import { addEmbed } from './commands/embed.ts'
import { STATUS_HELP } from './commands/flags.ts'
import { addInit } from './commands/init.ts'
import { addLocks } from './commands/locks.ts'
import { addMcp } from './commands/mcp.ts'
import { addMetrics } from './commands/metrics.ts'
import { addMigrate } from './commands/migrate.ts'
import { addPrune } from './commands/prune.ts'
import { addQuarantine } from './commands/quarantine.ts'
import { addRuns } from './commands/runs.ts'
import { addSearch, protectNegatedTerms } from './commands/search.ts'
import { addShow } from './commands/show.ts'
import { addSources } from './commands/sources.ts'
import { addStatus } from './commands/status.ts'
import { addSync } from './commands/sync.ts'
import { addWatch } from './commands/watch.ts'
import { version } from './package.ts'
import { didYouMean } from './usage-error.ts'

// Help and completion load nothing but the words of the commands; what a command needs is loaded when it runs: first its
// Call (configuration, database, output), then what its work names. A work prints and returns an exit code, or throws:
// UsageError for what the user can change, anything else with the next step that sync-core knows for it. What a status,
// an error or the state of a source means is defined in sync-core's run/, and only shown here.

/** In the order of the help. */
const DAILY = [addInit, addSources, addSync, addWatch, addEmbed, addSearch, addShow, addChanges, addMcp, addStatus]
const UPKEEP = [addRuns, addQuarantine, addLocks, addDoctor, addMetrics, addMigrate, addPrune]

/** Runs the command line and sets the exit code of the process. */
export async function runProgram(args: readonly string[]): Promise<void> {
  const program = describeProgram()
  try {
    if (await addComplete(program, args)) return
    refuseUnknownCommands(program)
    await program.parseAsync(protectNegatedTerms(args), { from: 'user' })
  } catch (error) {
    // Asking for help or the version is not an error.
    if (error instanceof CommanderError && error.exitCode === 0) return
    process.exitCode = (await import('./report-error.ts')).reportError(error, args)
  }
}

function describeProgram(): Command {
  const program = new Command('tidemark')
    .description('Keeps many Markdown git repositories mirrored in Postgres, on time, however often it is interrupted.')
    .version(version(), '-V, --version')
    .option('--config <file>', 'the configuration (default: tidemark.yaml, here or in a folder above)')
    .option('--database <url|dir>', 'a Postgres address or the folder of an embedded database (default: DATABASE_URL)')
    .option('--json', 'print one JSON document, and nothing else, on standard output')
    .option('--quiet', 'print errors only')
    .option('--verbose', 'print more')
    .option('--no-color', 'print without colours')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText(
      'after',
      `\nExamples:\n  $ tidemark init\n  $ tidemark sources add docs ../docs --ref main\n  $ tidemark sync --all\n  $ tidemark status\n  $ tidemark search getting started\n\n${STATUS_HELP}`,
    )
    .showSuggestionAfterError()
    .exitOverride()
    // Reported with all other errors.
    .configureOutput({ outputError() {} })
  for (const add of [...DAILY, ...UPKEEP]) add(program)
  // Settings reach only the commands that are made after them, and those of commands not at all.
  for (const command of program.commands)
    for (const each of [command, ...command.commands]) each.copyInheritedSettings(program)
  return program
}

/** Help is of a command that there is: what is misspelt is refused, also beside `--help`. */
function refuseUnknownCommands(program: Command): void {
  for (const command of [program, ...program.commands]) {
    if (command.commands.length === 0) continue
    const known = ['help', ...command.commands.map((each) => each.name())]
    command.on('beforeAllHelp', ({ error }: { error: boolean }) => {
      const [name] = command.args
      if (error || name === undefined || name.startsWith('-') || known.includes(name)) return
      command.error(`error: unknown command '${name}'\n${didYouMean(name, known).trim()}`.trim(), { exitCode: 2 })
    })
  }
}
