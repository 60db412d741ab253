import type { BreakOptions } from '@tidemark/lock'
import type { Database, Source } from '@tidemark/sync-core'
import type { Command } from 'commander'
import type { Call } from '../call.ts'
import { formatDuration, formatShort } from '../output/format.ts'
import type { BrokenLease } from '../runtime/break-leases.ts'
import { UsageError } from '../usage-error.ts'
import { defineAction } from './define-action.ts'
import { BREAK_LOCK_HELP, parseDuration, refuseFlags } from './flags.ts'

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
  const locks = listed.map(({ key, token, holder, heldForMs, sinceRefreshMs, expiresInMs }) => {
    const named = holder && { host: holder.host, pid: holder.pid }
    return { key, token: String(token), holder: named, heldForMs, sinceRefreshMs, expiresInMs }
  })
  if (output.json) return output.printJson('locks list', { locks })
  if (locks.length === 0) return output.notify('No lease is held.')
  const rows = locks.map(({ key, holder, heldForMs, sinceRefreshMs, expiresInMs }) => [
    key,
    holder === null ? output.paint('yellow', 'dead') : `process ${holder.pid} on ${holder.host}`,
    formatShort(heldForMs),
    sinceRefreshMs === null ? '–' : `${formatShort(sinceRefreshMs)} ago`,
    expiresInMs > 0 ? `in ${formatShort(expiresInMs)}` : 'expired',
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
  { maxAge: maxAgeMs, force }: { maxAge?: number; force?: boolean },
): Promise<void> {
  refuseFlags([[force && maxAgeMs, '--max-age and --force exclude each other', 'Forcing looks at no age.']])
  const broken = await call
    .withDatabase('if_present', (db) => db.locks.break(key, { force, maxAgeMs }))
    .catch((error: Error & { code?: string }) => {
      if (error.code !== 'LOCK_BAD_KEY') throw error
      throw new UsageError(error.message, 'See the keys that there are: tidemark locks list', error)
    })
  const { output } = call
  const { verdict } = broken
  const { holder, sinceRefreshMs } = verdict === 'absent' ? { holder: null, sinceRefreshMs: null } : broken
  const named = holder && { host: holder.host, pid: holder.pid }
  if (output.json) return output.printJson('locks break', { key, verdict, holder: named, sinceRefreshMs })
  output.print(`${key}: ${verdict}`)
  if (verdict !== 'refused') return
  output.notify(formatRefusal({ holder: named, sinceRefreshMs }, maxAgeMs))
  output.notify(`  To break it although its holder is alive: tidemark locks break ${key} --force`)
}

type Refused = Pick<BrokenLease, 'holder' | 'sinceRefreshMs'>

/** Why a lease was not broken, and what would let it be. */
function formatRefusal({ holder, sinceRefreshMs }: Refused, maxAgeMs: number | undefined): string {
  const who = `tidemark: process ${holder?.pid} on ${holder?.host} holds it`
  if (sinceRefreshMs === null)
    return `${who}, and nobody knows since when without a sign of life; only force breaks that`
  const seen = `${who} and showed life ${formatDuration(sinceRefreshMs)} ago`
  if (maxAgeMs === undefined) return `${seen}; without --max-age a lease is broken once it has expired, 90s after that`
  return `${seen}; --max-age lets it be broken after ${formatDuration(Math.max(maxAgeMs, MIN_SILENCE_MS))} without one`
}

/** Three heartbeats of a holder, within which age never breaks its lease. */
const MIN_SILENCE_MS = 45_000

/** Breaks the leases of sources whose holders show no sign of life, or all of them: `tidemark sync --break-lock`. */
export async function breakSourceLocks(call: Call, sources: readonly Source[], options: BreakOptions): Promise<void> {
  const { breakSourceLeases } = await import('../runtime/break-leases.ts')
  const { output } = call
  const results = await call.withDatabase('if_present', (db) => breakSourceLeases(db, sources, options))
  if (output.json) return output.printJson('sync --break-lock', { results })
  if (output.quiet) return
  const rows = results.map(({ source, verdict, holder, sinceRefreshMs }) => [
    source,
    output.paint(verdict === 'broken' ? 'yellow' : 'green', verdict),
    holder === null ? '–' : `process ${holder.pid} on ${holder.host}`,
    sinceRefreshMs === null ? '–' : `${formatDuration(sinceRefreshMs)} ago`,
  ])
  await output.printTable(['source', 'lease', 'holder', 'last refreshed'], rows)
  for (const { source, verdict, ...refused } of results)
    if (verdict === 'refused') output.notify(`${formatRefusal(refused, options.maxAgeMs)} (${source})`)
}
