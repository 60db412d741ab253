import type { Command } from 'commander'
import { breakLease } from '../database/break-lease.ts'
import { UsageError } from '../usage-error.ts'
import { configOf, withDatabaseIfPresent } from './context.ts'
import { outputOf } from './globals.ts'

/** Breaks one lease by its key. */
export default async function breakOne(
  key: string,
  { maxAge, force = false }: { maxAge?: number; force?: boolean },
  command: Command,
): Promise<void> {
  if (force && maxAge !== undefined) {
    throw new UsageError('--max-age and --force exclude each other', 'Forcing looks at no age.')
  }
  const result = await withDatabaseIfPresent(command, configOf(command), (db) =>
    breakLease(db, key, { force, maxAgeMs: maxAge }),
  )
  const output = outputOf(command)
  if (output.json) output.printJson({ key, verdict: result.verdict })
  else output.print(`${key}: ${result.verdict}`)
}
