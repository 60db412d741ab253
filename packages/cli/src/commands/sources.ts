import { dirname, isAbsolute, relative, resolve } from 'node:path'
import {
  currentCommit,
  isRemote,
  removeSource,
  type Source,
  SyncError,
  withoutSecrets,
} from '@tidemark/sync-core'
import type { Command } from 'commander'
import { addToConfig, removeFromConfig } from '../config/edit-config.ts'
import { findConfig } from '../config/find-config.ts'
import { table } from '../show/table.ts'
import { shortCommit } from '../show/words.ts'
import { UsageError } from '../usage-error.ts'
import { configOf, globals, outputOf, sourceNamed, withDatabase } from './context.ts'

/** `tidemark sources`: what is mirrored. */
export function addSources(program: Command): void {
  const sources = program.command('sources').summary('list, add or remove what is mirrored')

  sources
    .command('list', { isDefault: true })
    .summary('list the sources of the configuration')
    .action((_, command: Command) => list(command))

  sources
    .command('add')
    .summary('add a git repository to the configuration')
    .argument('<id>', 'a short name: letters, digits, ".", "_" and "-"')
    .argument('<repo>', 'path of a git repository, or an https, ssh or file address')
    .option('--ref <ref>', 'branch, tag or commit (default: HEAD)')
    .option('--subpath <folder>', 'mirror only this folder of it')
    .option('--include <pattern...>', 'mirror only files that match, as in .gitignore')
    .option('--exclude <pattern...>', 'do not mirror files that match')
    .addHelpText('after', '\nExample:\n  $ tidemark sources add docs ../docs --ref main')
    .action((id: string, repo: string, selection: Selected, command: Command) =>
      add(command, id, repo, selection),
    )

  sources
    .command('remove')
    .summary('take a source out of the configuration')
    .argument('<id>')
    .option('--purge', 'also remove its pages from the database')
    .addHelpText('after', '\nExample:\n  $ tidemark sources remove docs --purge')
    .action((id: string, { purge }: { purge?: boolean }, command: Command) =>
      remove(command, id, purge ?? false),
    )
}

function list(command: Command): void {
  const output = outputOf(command)
  const { sources, file } = configOf(command)
  const shown = sources.map(({ id, repo, ref }) => ({ id, repo: withoutSecrets(repo), ref }))
  if (output.json) {
    output.printJson({ sources: shown })
    return
  }
  if (shown.length === 0)
    output.note(`${file} has no sources yet. Add one with: tidemark sources add <id> <repo>`)
  else
    output.print(
      table(
        ['source', 'repository', 'ref'],
        shown.map(({ id, repo, ref }) => [id, repo, ref]),
      ),
    )
}

interface Selected {
  readonly ref?: string
  readonly subpath?: string
  readonly include?: string[]
  readonly exclude?: string[]
}

async function add(command: Command, id: string, repo: string, selected: Selected): Promise<void> {
  const file = findConfig(globals(command).config)
  const config = configOf(command)
  if (config.sources.some((source) => source.id === id)) {
    throw new UsageError(
      `there is a source "${id}" already in ${file}`,
      'Choose another name, or remove that one first.',
    )
  }
  const remote = isRemote(repo)
  const commit = await readable({ ref: 'HEAD', ...selected, id, repo: remote ? repo : resolve(repo) })
  // As the person would write it: relative to the file, unless that leads out of their own tree anyway.
  const kept = remote || isAbsolute(repo) ? repo : relative(dirname(file), resolve(repo)) || '.'
  const { ref, subpath, include, exclude } = selected
  const given = Object.entries({ repo: kept, ref, subpath, include, exclude }).filter(
    ([, value]) => value !== undefined,
  )
  addToConfig(file, id, Object.fromEntries(given))
  outputOf(command).print(`Added "${id}", now at ${shortCommit(commit)}. Next: tidemark sync --source ${id}`)
}

async function readable(source: Source): Promise<string> {
  try {
    return await currentCommit(source, new AbortController().signal)
  } catch (error) {
    if (error instanceof SyncError) throw new UsageError(error.message, error.hint, error)
    throw error
  }
}

async function remove(command: Command, id: string, purge: boolean): Promise<void> {
  const config = configOf(command)
  sourceNamed(config, id)
  if (purge) await withDatabase(command, config, (db) => removeSource(db, id, new AbortController().signal))
  removeFromConfig(config.file, id)
  outputOf(command).print(
    purge
      ? `Removed "${id}" and its pages.`
      : `Removed "${id}" from ${config.file}; its pages stay in the database.`,
  )
}
