import type { BreakOptions, BreakResult } from '@tidemark/lock'
import type { Database, Source } from '@tidemark/sync-core'
import type { Command } from 'commander'
import type { Call } from '../call.ts'
import { isMissing } from '../missing-database.ts'
import { formatDuration } from '../output/format.ts'
import { UsageError } from '../usage-error.ts'
import { defineAction } from './define-action.ts'
import { BREAK_LOCK_HELP, parseDuration } from './flags.ts'

/** `tidemark locks`: who is at work. */
export function addLocks(program: Command): void {
  const locks = program
    .command('locks')
    .summary('list leases, or break one')
    .addHelpText('after', '\nExample:\n  $ tidemark locks list')

  locks
    .command('list', { isDefault: true })
    .summary('list the leases that are held, or whose holder has died')
    .addHelpText('after', '\nExample:\n  $ tidemark locks list --json')
    .action(defineAction(listLocks))

  locks
    .command('break')
    .summary('break a lease whose holder shows no sign of life')
    .description(`Ends the lease of a key. ${BREAK_LOCK_HELP}`)
    .argument('<key>', 'as listed, for example sync:docs')
    .option('--max-age <duration>', 'once it was not refreshed for that long', parseDuration)
    .option('--force', 'although its holder is alive')
    .addHelpText('after', '\nExample:\n  $ tidemark locks break sync:docs --max-age 30m')
    .action(defineAction(breakLock))
}

async function listLocks(call: Call): Promise<void> {
  const { output } = call
  const listed = await call.withDatabase('read_only', readLocks)
  const locks = listed.map(({ key, token, holder, heldForMs, sinceRefreshMs, expiresInMs }) => ({
    key,
    token: String(token),
    holder: holder && { host: holder.host, pid: holder.pid },
    heldForMs,
    sinceRefreshMs,
    expiresInMs,
  }))
  if (output.json) return output.printJson({ locks })
  if (locks.length === 0) return output.notify('No lease is held.')
  const rows = locks.map(({ key, holder, heldForMs, sinceRefreshMs, expiresInMs }) => [
    key,
    holder === null ? output.paint('yellow', 'dead') : `process ${holder.pid} on ${holder.host}`,
    formatDuration(heldForMs),
    sinceRefreshMs === null ? '–' : `${formatDuration(sinceRefreshMs)} ago`,
    expiresInMs > 0 ? `in ${formatDuration(expiresInMs)}` : 'expired',
  ])
  await output.printTable(['lease', 'holder', 'held for', 'last refreshed', 'expires'], rows)
}

/** The leases of a database; none where the tables have not been made yet, for looking must not make them. */
async function readLocks(db: Database) {
  try {
    return await db.locks.list()
  } catch (error) {
    if ((error as { code?: string }).code === 'LOCK_NOT_MIGRATED') return []
    throw error
  }
}

async function breakLock(
  call: Call,
  key: string,
  { maxAge, force = false }: { maxAge?: number; force?: boolean },
): Promise<void> {
  if (force && maxAge !== undefined) {
    throw new UsageError('--max-age and --force exclude each other', 'Forcing looks at no age.')
  }
  const options = { force, maxAgeMs: maxAge }
  const { verdict } = await call.withDatabase('if_present', (db) => breakLease(db, key, options))
  if (call.output.json) call.output.printJson({ key, verdict })
  else call.output.print(`${key}: ${verdict}`)
}

/** Breaks the leases of sources whose holders show no sign of life, or all of them: `tidemark sync --break-lock`. */
export async function breakSourceLocks(call: Call, sources: readonly Source[], options: BreakOptions): Promise<void> {
  const { leaseKey } = await import('@tidemark/sync-core')
  const { output } = call
  const results = await call.withDatabase('if_present', (db) =>
    Promise.all(
      sources.map(async ({ id: source }) => {
        const result = await breakLease(db, leaseKey(source), options)
        const { verdict } = result
        if (!('holder' in result)) return { source, verdict, holder: null, sinceRefreshMs: null }
        const { holder, sinceRefreshMs } = result
        return { source, verdict, holder: { host: holder.host, pid: holder.pid }, sinceRefreshMs }
      }),
    ),
  )
  if (output.json) return output.printJson({ results })
  if (output.quiet) return
  const rows = results.map(({ source, verdict, holder, sinceRefreshMs }) => [
    source,
    output.paint(verdict === 'broken' ? 'yellow' : 'green', verdict),
    holder === null ? '–' : `process ${holder.pid} on ${holder.host}`,
    sinceRefreshMs === null ? '–' : `${formatDuration(sinceRefreshMs)} ago`,
  ])
  await output.printTable(['source', 'lease', 'holder', 'last refreshed'], rows)
}

/** Breaks the lease of a key. @throws {UsageError} for what cannot be a key. */
async function breakLease(db: Database, key: string, options: BreakOptions): Promise<BreakResult> {
  if (isMissing(db)) return { verdict: 'absent', key }
  try {
    return await db.locks.break(key, options)
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    if (code !== 'LOCK_BAD_KEY') throw error
    throw new UsageError(message, 'See the keys that there are: tidemark locks list', error)
  }
}
