import type { SyncStatus } from '@tidemark/sync-core'
import { formatAgo, formatCommit, formatShort, formatTime } from './format.ts'
import type { ListedStatus } from './json-outputs.ts'
import type { Output } from './output.ts'

const COLORS = {
  syncing: 'cyan',
  unreachable: 'red',
  never_synced: 'yellow',
  behind: 'yellow',
  up_to_date: 'green',
} as const

/** Says nothing that the state of the source does not say. */
const COMPLETE = new Set<SyncStatus | null>(['up_to_date', 'synced', 'first_sync', null])

/** A host's own name, as far as there is room for it. */
const MAX_HOST_LENGTH = 8

/** Prints where sources stand, a line each that fits a terminal of 80 columns; with `--verbose` wider, with absolute times. */
export async function printStatusTable(sources: readonly ListedStatus[], output: Output): Promise<void> {
  const head = ['source', 'state', 'what is wrong', 'lease', 'last run', 'due']
  const rows = sources.map((source) => [
    source.id,
    formatState(source, output),
    formatCodes(source, output),
    formatLease(source, output),
    formatLastRun(source, output),
    formatDue(source, output),
    ...(output.verbose ? [formatCommit(source.bookmark), String(source.quarantined)] : []),
  ])
  await output.printTable(output.verbose ? [...head, 'bookmark', 'set aside'] : head, rows)
}

function formatState({ state, behindMs, problems }: ListedStatus, output: Output): string {
  const isError = problems.some(({ severity }) => severity === 'error')
  const color = isError ? 'red' : state === 'up_to_date' && problems.length > 0 ? 'yellow' : COLORS[state]
  const since = state === 'behind' && behindMs !== null ? ` ${formatShort(behindMs)}` : ''
  return output.paint(color, `${state.replaceAll('_', ' ')}${since}`)
}

/** The problem that matters most, and how many there are beside it; what they are is told below the table. */
function formatCodes({ state, problems }: ListedStatus, output: Output): string {
  // Those that the state says already.
  const others = problems.filter(({ code }) => code !== state)
  const [first] = others
  if (first === undefined) return '–'
  const more = others.length > 1 ? ` +${others.length - 1}` : ''
  return output.paint(first.severity === 'error' ? 'red' : 'yellow', `${first.code.replaceAll('_', ' ')}${more}`)
}

function formatLease({ lease }: ListedStatus, { verbose }: Output): string {
  if (lease === null) return '–'
  const { pid, host, heldForMs, expiresInMs } = lease
  const dead = expiresInMs <= 0 ? ' expired' : ''
  if (verbose) return `process ${pid} on ${host} since ${formatTime(new Date(Date.now() - heldForMs))}${dead}`
  const name = host.length > MAX_HOST_LENGTH ? `${host.slice(0, MAX_HOST_LENGTH - 1)}…` : host
  return `${pid}@${name}${dead || ` ${formatShort(heldForMs)}`}`
}

function formatLastRun({ lastRun }: ListedStatus, { verbose }: Output): string {
  if (lastRun === null) return 'never'
  const startedAt = new Date(lastRun.startedAt)
  const status = lastRun.status === 'killed' || !COMPLETE.has(lastRun.status) ? `${lastRun.status} ` : ''
  if (verbose) return `${lastRun.status ?? 'running'} ${formatTime(startedAt)}`
  return `${status}${formatAgo(startedAt)}`
}

function formatDue({ nextDueInMs }: ListedStatus, { verbose }: Output): string {
  if (nextDueInMs <= 0) return 'now'
  return verbose ? formatTime(new Date(Date.now() + nextDueInMs)) : `in ${formatShort(nextDueInMs)}`
}
