import type { Database } from '@tidemark/sync-core'
import type { Command } from 'commander'
import type { Call } from '../call.ts'
import { isMissing } from '../missing-database.ts'
import { UsageError } from '../usage-error.ts'
import { defineAction } from './define-action.ts'
import { refuseFlags } from './flags.ts'

/** `tidemark migrate`: the tables. */
export function addMigrate(program: Command): void {
  program
    .command('migrate')
    .summary('make or update the tables in the database')
    .description('Makes or updates the tables. A sync does so too where it may; this is for those whose may not.')
    .option(
      '--dry-run',
      'print the SQL that would be run, and that of indexes which embed has yet to build, and run none',
    )
    .option('--adopt <table>', 'add heartbeat and fence to a table of leases that another program has made')
    .addHelpText('after', '\nExamples:\n  $ tidemark migrate --dry-run > for-the-dba.sql\n  $ tidemark migrate')
    .action(defineAction(migrateTables))
}

async function migrateTables(call: Call, { dryRun, adopt }: { dryRun?: boolean; adopt?: string }): Promise<void> {
  refuseFlags([[dryRun && adopt !== undefined, '--dry-run and --adopt exclude each other', 'Give one of them.']])
  const { migrate, pendingIndexes, pendingMigrations, pendingVectorTable } = await import('@tidemark/sync-core')
  const { output, config } = call
  if (dryRun) {
    const statements = await call.withDatabase('read_only', async (db) => {
      // Else the first embedding makes it, which a role that may not make tables cannot.
      const embeddings = config.embedding === null || isMissing(db) ? [] : await pendingVectorTable(db)
      return [...(await pendingMigrations(db)), ...embeddings, ...(await pendingIndexes(db))]
    })
    if (output.json) output.printJson('migrate --dry-run', { statements })
    else if (statements.length === 0) output.notify('The tables are up to date.')
    else output.printText(`${statements.map((sql) => `${sql};`).join('\n\n')}\n`)
  } else if (adopt !== undefined) {
    const held = await call.withDatabase('unmigrated', (db) => adoptTable(db, adopt))
    if (output.json) output.printJson('migrate --adopt', { adopted: adopt, held })
    else output.print(`Adopted ${adopt}; ${held} leases are held in it.`)
  } else {
    const { name, pending } = await call.withDatabase('unmigrated', async (db) => {
      const pending = (await pendingMigrations(db)).length
      await migrate(db)
      return { name: db.name, pending }
    })
    if (output.json) output.printJson('migrate', { migrated: pending > 0 })
    else output.print(pending > 0 ? `Updated the tables in ${name}.` : `The tables in ${name} are up to date.`)
  }
}

/** The names that programs whose leases know only of expiry have for the columns; the first one that is there. */
const KNOWN_NAMES = {
  key: ['key', 'id', 'name', 'lock_id'],
  holderPid: ['holder_pid', 'pid'],
  holderHost: ['holder_host', 'host', 'hostname'],
  acquiredAt: ['acquired_at', 'locked_at', 'created_at'],
  expiresAt: ['expires_at', 'ttl_expires_at', 'expires'],
}

/**
 * Adds heartbeat, token and fence to a table of leases that another program has made. That program goes on working
 * with it: neither takes from the other what the other holds.
 *
 * @param table `table` or `schema.table`.
 * @returns how many leases are held in it.
 * @throws {UsageError} where there is no such table, or it cannot hold leases: with what would change that.
 */
async function adoptTable(db: Database, table: string): Promise<number> {
  const { rows } = await db.query<{ name: string }>(columnsSql, [table])
  const present = new Set(rows.map(({ name }) => name))
  if (present.size === 0) throw new UsageError(`there is no table ${table} in ${db.name}`, 'Check its name and schema.')
  const columns = Object.entries(KNOWN_NAMES).map(([part, names]) => {
    const name = names.find((each) => present.has(each))
    if (name !== undefined) return [part, name] as const
    throw new UsageError(
      `${table} is not a table of leases: it has no column ${names.join(' or ')}`,
      `It has ${[...present].join(', ')}. Other names can be given to createLocks of @tidemark/lock.`,
    )
  })
  const { createLocks } = await import('@tidemark/lock')
  try {
    const locks = createLocks(db, { table, columns: Object.fromEntries(columns) })
    await locks.migrate()
    return (await locks.list()).length
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    if (code === 'LOCK_BAD_OPTIONS') throw new UsageError(message, 'Give a table or schema.table.', error)
    if (code !== 'LOCK_BAD_TABLE') throw error
    const { errorProblem } = await import('@tidemark/sync-core')
    const problem = errorProblem(error)
    throw new UsageError(problem.message, problem.nextStep, error)
  }
}

const columnsSql = /* sql */ `
SELECT attname AS name FROM pg_attribute
WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum`
