import { migrate, pendingMigrations } from '@tidemark/sync-core'
import type { Command } from 'commander'
import { adoptTable } from '../database/adopt-table.ts'
import { UsageError } from '../usage-error.ts'
import { configOf, withDatabaseReadOnly, withDatabaseUnmigrated } from './context.ts'
import { outputOf } from './globals.ts'

/** Makes or updates the tables, shows what that would be, or upgrades a table of leases. */
export default async function migrateTables(
  { dryRun, adopt }: { dryRun?: boolean; adopt?: string },
  command: Command,
): Promise<void> {
  if (dryRun && adopt !== undefined)
    throw new UsageError('--dry-run and --adopt exclude each other', 'Give one of them.')
  const config = configOf(command)
  const output = outputOf(command)
  if (dryRun) {
    const statements = await withDatabaseReadOnly(command, config, pendingMigrations)
    if (output.json) output.printJson({ statements })
    else if (statements.length === 0) output.note('The tables are up to date.')
    else output.print(statements.map((sql) => `${sql};`).join('\n\n'))
  } else if (adopt !== undefined) {
    const held = await withDatabaseUnmigrated(command, config, (db) => adoptTable(db, adopt))
    if (output.json) output.printJson({ adopted: adopt, held })
    else output.print(`Adopted ${adopt}; ${held} leases are held in it.`)
  } else {
    const { name, pending } = await withDatabaseUnmigrated(command, config, async (db) => {
      const pending = (await pendingMigrations(db)).length
      await migrate(db)
      return { name: db.name, pending }
    })
    if (output.json) output.printJson({ migrated: pending > 0 })
    else output.print(pending > 0 ? `Updated the tables in ${name}.` : `The tables in ${name} are up to date.`)
  }
}
