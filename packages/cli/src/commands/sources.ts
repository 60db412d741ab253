import { dirname } from 'node:path'
import type { Database, SourceSize } from '@tidemark/sync-core'
import type { Command } from 'commander'
import type { Call } from '../call.ts'
import { isMissing } from '../missing-database.ts'
import { formatCommit, formatDuration } from '../output/format.ts'
import { terminalLine } from '../output/terminal-text.ts'
import { UsageError } from '../usage-error.ts'
import { defineAction } from './define-action.ts'
import { refuseFlags } from './flags.ts'
import type { renameConfigured } from './rename-source.ts'
import type { setSource } from './set-source.ts'
import { addSettingOptions, type SettingFlags } from './setting-options.ts'

/** `tidemark sources`: what is mirrored. */
export function addSources(program: Command): void {
  const sources = program
    .command('sources')
    .summary('list, add, change, rename or remove what is mirrored')
    .addHelpText('after', '\nExample:\n  $ tidemark sources list')

  sources
    .command('list', { isDefault: true })
    .summary('list the sources of the configuration')
    .addHelpText('after', '\nExample:\n  $ tidemark sources list --json')
    .action(defineAction(listSources))

  const add = sources
    .command('add')
    .summary('add a git repository to the configuration')
    .argument('<id>', 'a short name: letters, digits, ".", "_" and "-"')
    .argument('<repo>', 'path of a git repository, or an https, ssh or file address')
  addSettingOptions(add)
    .addHelpText('after', '\nExample:\n  $ tidemark sources add docs ../docs --ref main')
    .action(defineAction(addSource))

  const set = sources
    .command('set')
    .summary('change what the configuration says of a source')
    .description(
      "Changes what the configuration says of a source; an empty value ('') brings the default back. The next sync follows.",
    )
    .argument('<id>')
    .option('--path <folder>', 'path of a git repository')
    .option('--url <address>', 'https, ssh or file address of a git repository')
  addSettingOptions(set)
    .addHelpText(
      'after',
      "\nExamples:\n  $ tidemark sources set docs --ref main\n  $ tidemark sources set docs --subpath ''",
    )
    .action(
      defineAction(async (...call: Parameters<typeof setSource>) =>
        (await import('./set-source.ts')).setSource(...call),
      ),
    )

  sources
    .command('rename')
    .summary('give a source another name, with all that is stored of it')
    .description('Renames a source in the configuration and in the database. Nothing is imported again.')
    .argument('<old>')
    .argument('<new>')
    .addHelpText('after', '\nExample:\n  $ tidemark sources rename docs handbook')
    .action(
      defineAction(async (...call: Parameters<typeof renameConfigured>) =>
        (await import('./rename-source.ts')).renameConfigured(...call),
      ),
    )

  sources
    .command('remove')
    .summary('take a source out of the configuration')
    .description('Takes a source out of the configuration. Its pages stay in the database unless --purge is given.')
    .argument('<id>')
    .option('--purge', 'also remove its pages, chunks, links and runs from the database; asks first')
    .option('--yes', 'with --purge: do not ask')
    .addHelpText('after', '\nExample:\n  $ tidemark sources remove docs --purge')
    .action(defineAction(removeConfigured))
}

async function listSources({ config, output }: Call): Promise<void> {
  const { redact } = await import('@tidemark/sync-core')
  const sources = config.sources.map(({ id, repo, ref, subpath = null, include = [], exclude = [], everyMs }) => {
    return { id, repo: redact(repo), ref, subpath, include, exclude, everyMs }
  })
  if (output.json) return output.printJson('sources list', { sources })
  if (sources.length === 0)
    return output.notify(`${config.file} has no sources yet. Add one with: tidemark sources add <id> <repo>`)
  const rows = sources.map(({ id, repo, ref, everyMs }) => [id, repo, ref, formatDuration(everyMs)])
  await output.printTable(['source', 'repository', 'ref', 'due every'], rows)
}

/** Adds a source that can be read to the configuration. */
async function addSource({ config, output }: Call, id: string, repo: string, flags: SettingFlags): Promise<void> {
  const { addToConfig } = await import('../config/edit.ts')
  const { callWith, readRepository, refusal, settingValues, withSettings } = await import('./source-settings.ts')
  const { currentCommit, shellQuote } = await import('@tidemark/sync-core')
  const { file, sources } = config
  if (sources.some((source) => source.id === id)) {
    throw new UsageError(
      `there is a source "${id}" already in ${file}`,
      `Choose another name, or change that one with: tidemark sources set ${id}`,
    )
  }
  const settings = settingValues(flags)
  const empty = Object.keys(settings).find((key) => settings[key] === null)
  refuseFlags([[empty, `the value for ${empty} is empty`, 'Leave it out for the default.']])
  const { repo: read, written } = readRepository(repo, dirname(file))
  const source = withSettings({ id, repo: read, ref: 'HEAD' }, settings)
  const commit = await currentCommit(source, new AbortController().signal).catch((error: unknown) => {
    const { ref: _, ...others } = flags
    throw refusal(error, callWith(`tidemark sources add ${id} ${shellQuote(repo)}`, others))
  })
  addToConfig(file, id, { repo: written, ...settings })
  if (output.json) output.printJson('sources add', { added: id, file, commit })
  else output.print(`Added "${id}", now at ${formatCommit(commit)}. Next: tidemark sync --source ${id}`)
}

/** Takes a source out of the configuration, and with `--purge` out of the database, where it may be alone. */
async function removeConfigured(
  call: Call,
  id: string,
  { purge = false, yes = false }: { purge?: boolean; yes?: boolean },
): Promise<void> {
  refuseFlags([[yes && !purge, '--yes needs --purge', 'Without it there is nothing to confirm.']])
  const { removeFromConfig } = await import('../config/edit.ts')
  const { getSource } = await import('../config/select-sources.ts')
  const { config, output } = call
  if (!purge) getSource(config, id)
  const purged = purge ? await call.withDatabase('if_present', (db) => purgeConfirmed(db, call, id, yes)) : null
  if (purged === 'declined') return output.print('Nothing was removed.')
  const configured = config.sources.some((source) => source.id === id)
  if (configured) removeFromConfig(config.file, id)
  if (output.json) return output.printJson('sources remove', { removed: id, purged })
  const pages = purged === null ? '; its pages stay in the database' : `, and ${sizeText(purged)}`
  output.print(`Removed "${id}"${configured ? ` from ${config.file}` : ''}${pages}.`)
}

/** Removes everything of a source once a person has agreed to what that is. */
async function purgeConfirmed(
  db: Database,
  { config, output }: Call,
  id: string,
  yes: boolean,
): Promise<SourceSize | 'declined'> {
  const { countSource, readSource, removeSource } = await import('@tidemark/sync-core')
  const { getSource } = await import('../config/select-sources.ts')
  // What the configuration no longer has may still be in the database.
  if ((await readSource(db, id)) === null) getSource(config, id)
  const size = await countSource(db, id)
  const what = `${sizeText(size)} of "${id}" in ${db.name}`
  if (!yes && !process.stdin.isTTY)
    throw new UsageError(`this would delete ${what}`, 'If that is meant, give --yes as well.')
  if (!yes && !(await confirm(`Delete ${what}?`))) return 'declined'
  if (yes) output.notify(`Deleting ${what}`)
  const { refusal } = await import('./source-settings.ts')
  if (isMissing(db)) return size
  await removeSource(db, id, new AbortController().signal).catch((error: unknown) => {
    throw refusal(error, '')
  })
  return size
}

async function confirm(question: string): Promise<boolean> {
  const { createInterface } = await import('node:readline/promises')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await terminal.question(`${terminalLine(question)} [y/N] `)).trim())
  } finally {
    terminal.close()
  }
}

function sizeText({ pages, chunks, links, quarantined, runs }: SourceSize): string {
  const parts = [`${pages} pages`, `${chunks} chunks`, `${links} links`]
  if (quarantined > 0) parts.push(`${quarantined} files set aside`)
  return `${parts.join(', ')} and ${runs} runs`
}
