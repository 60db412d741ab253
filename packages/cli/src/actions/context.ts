import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { closeDatabase, type Database, isEmbedded, migrate, openDatabase, redact } from '@tidemark/sync-core'
import type { Command } from 'commander'
import { findConfig } from '../config/find-config.ts'
import { type Config, type ConfiguredSource, databaseOf, loadConfig } from '../config/load-config.ts'
import { isMissing, missingDatabase } from '../database/missing-database.ts'
import { didYouMean } from '../nearest.ts'
import { UsageError } from '../usage-error.ts'
import { globals } from './globals.ts'

export const configOf = (command: Command): Config => loadConfig(findConfig(globals(command).config))

/** Where the database of this call is. */
export const databaseAddress = (command: Command, config: Config): string =>
  databaseOf(config, globals(command).database)

/** What is done with a database that is open; the signal ends the wait for a server to answer. */
type WithDatabase = <T>(
  command: Command,
  config: Config,
  work: (db: Database) => Promise<T>,
  signal?: AbortSignal,
) => Promise<T>

/** Opens the database of this call and closes it after the work. */
export const withDatabaseUnmigrated: WithDatabase = (command, config, work, signal) =>
  withOpen(databaseAddress(command, config), work, signal)

/** Opens and migrates the database of this call, and closes it after the work. */
export const withDatabase: WithDatabase = (command, config, work, signal) => {
  const migrated = async (db: Database) => {
    await migrate(db, { signal })
    return work(db)
  }
  return withOpen(databaseAddress(command, config), migrated, signal)
}

/** Opens the database of this call to read it as it is; an embedded one that is not there is neither made nor started. */
export const withDatabaseReadOnly: WithDatabase = (command, config, work, signal) => {
  const address = databaseAddress(command, config)
  if (isEmbedded(address) && !existsSync(address)) return work(missingDatabase(resolve(address)))
  return withOpen(address, work, signal)
}

/** Opens and migrates the database of this call for work that has nothing to do where an embedded one is not there. */
export const withDatabaseIfPresent: WithDatabase = (command, config, work, signal) => {
  const migrated = async (db: Database) => {
    if (!isMissing(db)) await migrate(db, { signal })
    return work(db)
  }
  return withDatabaseReadOnly(command, config, migrated, signal)
}

async function withOpen<T>(
  address: string,
  work: (db: Database) => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  const db = await openDatabase(address, { signal })
  try {
    return await work(db)
  } finally {
    await closeDatabase(db, ({ message }) => {
      process.stderr.write(
        `tidemark: warning: ${db.name} was not closed as it should be: ${redact(message)}\n  A lease that this command still had ends by itself within 90 s.\n`,
      )
    })
  }
}

/** The source of that name. @throws {UsageError} with the nearest name that there is. */
export function sourceNamed(config: Config, id: string): ConfiguredSource {
  const source = config.sources.find((each) => each.id === id)
  if (source) return source
  const known = config.sources.map((each) => each.id)
  const hint = known.length === 0 ? 'Add it with: tidemark sources add <id> <repo>' : `Known are ${known.join(', ')}.`
  throw new UsageError(`there is no source "${id}" in ${config.file}`, didYouMean(id, known) + hint)
}

/** The sources that `--source` and `--all` choose. @throws {UsageError} where there is none. */
export function sourcesChosen(
  config: Config,
  { all, source }: { readonly all?: boolean; readonly source?: readonly string[] },
): readonly ConfiguredSource[] {
  if (!all) return [...new Set(source)].map((id) => sourceNamed(config, id))
  if (config.sources.length > 0) return config.sources
  throw new UsageError(`${config.file} has no sources`, 'Add one with: tidemark sources add <id> <repo>')
}
