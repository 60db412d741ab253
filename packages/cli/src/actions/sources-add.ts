import { dirname, isAbsolute, relative, resolve } from 'node:path'
import { currentCommit, isRemote, type Source, SyncError } from '@tidemark/sync-core'
import type { Command } from 'commander'
import { addToConfig } from '../config/edit.ts'
import { shortCommit } from '../show/words.ts'
import { UsageError } from '../usage-error.ts'
import { configOf } from './context.ts'
import { outputOf } from './globals.ts'

interface Selected {
  readonly ref?: string
  readonly subpath?: string
  readonly include?: string[]
  readonly exclude?: string[]
  readonly every?: number
}

/** Adds a source that can be read to the configuration. */
export default async function add(
  id: string,
  repo: string,
  { every, ...selected }: Selected,
  command: Command,
): Promise<void> {
  const { file, sources } = configOf(command)
  if (sources.some((source) => source.id === id)) {
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
  const said = { repo: kept, ref, subpath, include, exclude, every: every && `${every / 1000}s` }
  addToConfig(file, id, Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)))
  const output = outputOf(command)
  if (output.json) output.printJson({ added: id, file, commit })
  else output.print(`Added "${id}", now at ${shortCommit(commit)}. Next: tidemark sync --source ${id}`)
}

async function readable(source: Source): Promise<string> {
  try {
    return await currentCommit(source, new AbortController().signal)
  } catch (error) {
    if (error instanceof SyncError) throw new UsageError(error.message, error.hint, error)
    throw error
  }
}
