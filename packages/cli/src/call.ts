import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Database, type DatabaseOptions, isEmbedded, redact } from '@tidemark/sync-core'
import { findConfig } from './config/find-config.ts'
import { type Config, loadConfig, resolveDatabase } from './config/load-config.ts'
import { missingDatabase } from './missing-database.ts'
import { logProblem } from './output/log.ts'
import { type Output, type OutputFlags, openOutput } from './output/output.ts'
import { withDatabase } from './runtime/with-database.ts'

/** The options that every command has. */
interface GlobalFlags extends OutputFlags {
  readonly config?: string
  readonly database?: string
}

/**
 * How the database of a call is opened. `migrated`: made where it is not there, its tables up to date. `unmigrated`:
 * made, its tables as they are. `if_present`: up to date, but an embedded one that is not there is not made.
 * `read_only`: as it is, and not made.
 */
export type DatabaseMode = 'migrated' | 'unmigrated' | 'if_present' | 'read_only'

/** How a database is waited for: by default until a server answers, and not for a process that has an embedded one. */
type Opening = Pick<DatabaseOptions, 'signal' | 'waitMs' | 'ttlMs' | 'heartbeatMs'>

/** One call of a command: how it prints, its configuration and its database. */
export interface Call {
  readonly flags: GlobalFlags
  readonly output: Output
  /** Loaded when it is first read. @throws {UsageError} */
  readonly config: Config
  /** Where the database of this call is. */
  readonly databaseAddress: string
  /** Opens the database for some work and closes it afterwards. */
  withDatabase<T>(mode: DatabaseMode, work: (db: Database) => Promise<T>, opening?: Opening): Promise<T>
}

/** @param label the words of the command, for others that find its embedded database in use */
export function openCall(flags: GlobalFlags, label: string): Call {
  let config: Config | undefined
  return {
    flags,
    output: openOutput(flags),
    get config() {
      config ??= loadConfig(findConfig(flags.config))
      return config
    },
    get databaseAddress() {
      return resolveDatabase(this.config, flags.database)
    },
    async withDatabase(mode, work, opening) {
      const address = this.databaseAddress
      const makes = mode === 'migrated' || mode === 'unmigrated'
      if (!makes && isEmbedded(address) && !existsSync(address)) return work(await missingDatabase(resolve(address)))
      const migrates = mode === 'migrated' || mode === 'if_present'
      return withDatabase(address, work, { ...opening, migrates, label, onCloseError: warnOfClose })
    },
  }
}

function warnOfClose({ message }: Error, { name }: Database): void {
  logProblem('warning', {
    message: `warning: ${name} was not closed as it should be: ${redact(message)}`,
    nextStep: 'A lease that this command still had ends by itself within 90 s.',
  })
}
