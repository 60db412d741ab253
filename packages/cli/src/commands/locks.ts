import type { Command } from 'commander'
import { durationMs } from '../duration.ts'
import { table } from '../show/table.ts'
import { duration } from '../show/words.ts'
import { UsageError } from '../usage-error.ts'
import { configOf, outputOf, withDatabase } from './context.ts'

/** `tidemark locks`: who is at work. */
export function addLocks(program: Command): void {
  const locks = program.command('locks').summary('list leases, or break one')

  locks
    .command('list', { isDefault: true })
    .summary('list the leases that are held, or whose holder has died')
    .action((_, command: Command) => list(command))

  locks
    .command('break')
    .summary('break a lease whose holder shows no sign of life')
    .argument('<key>', 'as listed, for example sync:docs')
    .option('--max-age <duration>', 'only if it was not refreshed for that long', durationMs)
    .option('--force', 'although its holder is alive')
    .addHelpText('after', '\nExample:\n  $ tidemark locks break sync:docs --max-age 30m')
    .action((key: string, options: { maxAge?: number; force?: boolean }, command: Command) =>
      breakOne(command, key, options),
    )
}

async function list(command: Command): Promise<void> {
  const output = outputOf(command)
  const held = await withDatabase(command, configOf(command), (db) => db.locks.list())
  const shown = held.map(({ key, token, holder, heldForMs, sinceRefreshMs, expiresInMs }) => ({
    key,
    token: String(token),
    holder: holder && { host: holder.host, pid: holder.pid },
    heldForMs,
    sinceRefreshMs,
    expiresInMs,
  }))
  if (output.json) {
    output.printJson({ locks: shown })
    return
  }
  const rows = shown.map(({ key, holder, heldForMs, sinceRefreshMs, expiresInMs }) => [
    key,
    holder === null ? output.paint('yellow', 'dead') : `process ${holder.pid} on ${holder.host}`,
    duration(heldForMs),
    sinceRefreshMs === null ? '–' : `${duration(sinceRefreshMs)} ago`,
    expiresInMs > 0 ? `in ${duration(expiresInMs)}` : 'expired',
  ])
  if (rows.length === 0) output.note('No lease is held.')
  else output.print(table(['lease', 'holder', 'held for', 'last refreshed', 'expires'], rows))
}

async function breakOne(
  command: Command,
  key: string,
  { maxAge, force = false }: { maxAge?: number; force?: boolean },
) {
  if (force && maxAge !== undefined) {
    throw new UsageError('--max-age and --force exclude each other', 'Forcing looks at no age.')
  }
  const result = await withDatabase(command, configOf(command), (db) =>
    db.locks.break(key, { force, maxAgeMs: maxAge }),
  )
  const output = outputOf(command)
  if (output.json) output.printJson({ key, verdict: result.verdict })
  else output.print(`${key}: ${result.verdict}`)
}
