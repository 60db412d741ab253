import type { Command } from 'commander'
import type { Call } from '../call.ts'
import { formatAgo, formatCommit, formatDuration } from '../output/format.ts'
import { formatProblem } from '../output/format-problem.ts'
import type { ListedStatus } from '../output/json-outputs.ts'
import type { Output } from '../output/output.ts'
import { defineAction } from './define-action.ts'

/** `tidemark status`: where each source stands. */
export function addStatus(program: Command): void {
  program
    .command('status')
    .summary('show the state of each source')
    .description('Compares what the database holds with what the refs name now. Changes nothing.')
    .addHelpText('after', '\nExample:\n  $ tidemark status --json')
    .action(defineAction(status))
}

async function status(call: Call): Promise<void> {
  const { config, output } = call
  const { describeSource, readStatus, redact } = await import('@tidemark/sync-core')
  const { readRemoteHeads } = await import('../runtime/remote-heads.ts')
  const ids = config.sources.map(({ id }) => id)
  const [statuses, heads] = await Promise.all([
    call.withDatabase('read_only', (db) => readStatus(db, ids)),
    readRemoteHeads(config.sources),
  ])
  const sources = config.sources.map(({ id, repo, ref, everyMs }, i) => {
    const { lastRun, lastSyncedAt, lastCheckedAt, sinceCheckMs, dirty, lease } = statuses[i]!
    const nextDueInMs = sinceCheckMs === null || dirty ? 0 : Math.round(everyMs - sinceCheckMs)
    const shown = { ...describeSource(statuses[i]!, heads[i]!), lastRun, lastSyncedAt, lastCheckedAt, everyMs, lease }
    return { id, repo: redact(repo), ref, ...shown, nextDueInMs }
  })
  if (output.json) output.printJson('status', { sources })
  else if (sources.length > 0) await show(sources, output)
  else output.notify(`${config.file} has no sources yet. Add one with: tidemark sources add <id> <repo>`)
}

const COLORS = {
  syncing: 'cyan',
  unreachable: 'red',
  never_synced: 'yellow',
  behind: 'yellow',
  up_to_date: 'green',
} as const

async function show(sources: readonly ListedStatus[], output: Output): Promise<void> {
  const rows = sources.map((source) => {
    const { id, state, behindMs, lastStatus, lastRun, nextDueInMs, quarantined, bookmark, lease, warnings } = source
    const color = state === 'up_to_date' && warnings.length > 0 ? 'yellow' : COLORS[state]
    const since = state === 'behind' && behindMs !== null ? ` for ${formatDuration(behindMs)}` : ''
    return [
      id,
      output.paint(color, `${state.replaceAll('_', ' ')}${since}`),
      lastStatus ?? '–',
      lastRun === null ? 'never' : formatAgo(new Date(lastRun.startedAt)),
      nextDueInMs > 0 ? `in ${formatDuration(nextDueInMs)}` : 'now',
      String(quarantined),
      formatCommit(bookmark),
      lease === null ? '–' : `process ${lease.pid} on ${lease.host} for ${formatDuration(lease.heldForMs)}`,
    ]
  })
  await output.printTable(['source', 'state', 'last status', 'last run', 'due', 'set aside', 'bookmark', 'lease'], rows)
  if (output.quiet) return
  const { warningProblems } = await import('@tidemark/sync-core')
  for (const { id, problem, fix, warnings } of sources) {
    if (problem !== null && fix !== null) process.stderr.write(formatProblem({ message: problem, nextStep: fix }, id))
    for (const warning of warningProblems(warnings)) process.stderr.write(formatProblem(warning, id))
  }
}
