import { createInterface } from 'node:readline/promises'
import { countSource, type Database, readSource, removeSource, type SourceSize } from '@tidemark/sync-core'
import type { Command } from 'commander'
import { removeFromConfig } from '../config/edit.ts'
import type { Config } from '../config/load-config.ts'
import { isMissing } from '../database/missing-database.ts'
import { UsageError } from '../usage-error.ts'
import { configOf, sourceNamed, withDatabaseIfPresent } from './context.ts'
import { outputOf } from './globals.ts'

/** Takes a source out of the configuration, and with `--purge` out of the database, where it may be alone. */
export default async function remove(
  id: string,
  { purge = false, yes = false }: { purge?: boolean; yes?: boolean },
  command: Command,
): Promise<void> {
  if (yes && !purge) throw new UsageError('--yes needs --purge', 'Without it there is nothing to confirm.')
  const config = configOf(command)
  const output = outputOf(command)
  if (!purge) sourceNamed(config, id)
  const purged = purge
    ? await withDatabaseIfPresent(command, config, (db) => purgeAsked(db, config, id, { yes, say: output.note }))
    : null
  if (purged === 'kept') {
    output.print(`Nothing was removed.`)
    return
  }
  const configured = config.sources.some((source) => source.id === id)
  if (configured) removeFromConfig(config.file, id)
  if (output.json) {
    output.printJson({ removed: id, purged })
    return
  }
  const pages = purged === null ? '; its pages stay in the database' : ''
  const where = configured ? ` from ${config.file}` : ''
  output.print(`Removed "${id}"${where}${purged === null ? pages : `, and ${counted(purged)}`}.`)
}

/** Removes everything of a source once a person has agreed to what that is. */
async function purgeAsked(
  db: Database,
  config: Config,
  id: string,
  { yes, say }: { yes: boolean; say: (text: string) => void },
): Promise<SourceSize | 'kept'> {
  // What the configuration no longer has may still be in the database.
  if ((await readSource(db, id)) === null) sourceNamed(config, id)
  const size = await countSource(db, id)
  const what = `${counted(size)} of "${id}" in ${db.name}`
  if (!yes && !process.stdin.isTTY) {
    throw new UsageError(`this would delete ${what}`, 'If that is meant, give --yes as well.')
  }
  if (!yes && !(await agreed(`Delete ${what}?`))) return 'kept'
  if (yes) say(`Deleting ${what}`)
  if (!isMissing(db)) await removeSource(db, id, new AbortController().signal)
  return size
}

async function agreed(question: string): Promise<boolean> {
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await asking.question(`${question} [y/N] `)).trim())
  } finally {
    asking.close()
  }
}

function counted({ pages, chunks, links, quarantined, runs }: SourceSize): string {
  const parts = [`${pages} pages`, `${chunks} chunks`, `${links} links`]
  if (quarantined > 0) parts.push(`${quarantined} files set aside`)
  return `${parts.join(', ')} and ${runs} runs`
}
