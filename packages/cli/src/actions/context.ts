import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Database, isEmbedded, migrate, openDatabase, type Source } from '@tidemark/sync-core'
import type { Command } from 'commander'
import { findConfig } from '../config/find-config.ts'
import { type Config, databaseOf, loadConfig } from '../config/load-config.ts'
import { didYouMean } from '../nearest.ts'
import { UsageError } from '../usage-error.ts'
import { globals } from './globals.ts'

export const configOf = (command: Command): Config => loadConfig(findConfig(globals(command).config))

/** Where the database of this call is. */
export const databaseAddress = (command: Command, config: Config): string =>
  databaseOf(config, globals(command).database)

type Work<T> = (db: Database) => Promise<T>

/** Opens the database of this call and closes it after the work. */
export async function withDatabaseUnmigrated<T>(command: Command, config: Config, work: Work<T>): Promise<T> {
  const db = await openDatabase(databaseAddress(command, config))
  try {
    return await work(db)
  } finally {
    await db.close()
  }
}

/** Opens and migrates the database of this call, and closes it after the work. */
export async function withDatabase<T>(command: Command, config: Config, work: Work<T>): Promise<T> {
  return withDatabaseUnmigrated(command, config, async (db) => {
    await migrate(db)
    return work(db)
  })
}

/** Opens the database of this call to read it as it is; an embedded one that is not there is stood in for. */
export async function withDatabaseAsItIs<T>(command: Command, config: Config, work: Work<T>): Promise<T> {
  const address = databaseAddress(command, config)
  const absent = isEmbedded(address) && !existsSync(address)
  const standIn = absent ? await mkdtemp(join(tmpdir(), 'tidemark-')) : null
  const db = await openDatabase(standIn === null ? address : join(standIn, 'db'))
  try {
    return await work(db)
  } finally {
    await db.close()
    if (standIn !== null) await rm(standIn, { recursive: true })
  }
}

/** The source of that name. @throws {UsageError} with the nearest name that there is. */
export function sourceNamed(config: Config, id: string): Source {
  const source = config.sources.find((each) => each.id === id)
  if (source) return source
  const known = config.sources.map((each) => each.id)
  const hint =
    known.length === 0 ? 'Add it with: tidemark sources add <id> <repo>' : `Known are ${known.join(', ')}.`
  throw new UsageError(`there is no source "${id}" in ${config.file}`, didYouMean(id, known) + hint)
}
