import { readStatus, redact, type SourceStatus } from '@tidemark/sync-core'
import type { Command } from 'commander'
import type { ConfiguredSource } from '../config/load-config.ts'
import { problemText } from '../problem/problem.ts'
import { type Head, readHeads } from '../problem/read-head.ts'
import { problemOfSource } from '../problem/source-problem.ts'
import type { Output } from '../show/output.ts'
import { table } from '../show/table.ts'
import { ago, duration, shortCommit } from '../show/words.ts'
import { configOf, withDatabaseReadOnly } from './context.ts'
import { outputOf } from './globals.ts'

/** Tells where each source stands, and how to go on where one is stuck. */
export default async function status(_: object, command: Command): Promise<void> {
  const output = outputOf(command)
  const config = configOf(command)
  const ids = config.sources.map(({ id }) => id)
  const [standings, heads] = await Promise.all([
    withDatabaseReadOnly(command, config, (db) => readStatus(db, ids)),
    readHeads(config.sources),
  ])
  const sources = config.sources.map((source, i) => describe(source, standings[i]!, heads[i]!))
  if (output.json) output.printJson({ sources })
  else if (sources.length === 0)
    output.note(`${config.file} has no sources yet. Add one with: tidemark sources add <id> <repo>`)
  else show(sources, output)
}

type Described = ReturnType<typeof describe>

function describe({ id, repo, ref, everyMs }: ConfiguredSource, standing: SourceStatus, head: Head) {
  const { bookmark, dirty, lastStatus, sinceCheckMs, behindMs, lease, quarantined } = standing
  const target = 'target' in head ? head.target : null
  const behind = target === null ? null : target !== bookmark || dirty
  // What is stuck can be looked at once the repository can be read.
  const problem = 'problem' in head ? head.problem : problemOfSource(standing)
  return {
    id,
    repo: redact(repo),
    ref,
    state: stateOf(standing, behind),
    bookmark,
    target,
    behind,
    behindMs: behindMs === null ? null : Math.round(behindMs),
    lastStatus,
    lastRun: standing.lastRun,
    lastSyncedAt: standing.lastSyncedAt,
    lastCheckedAt: standing.lastCheckedAt,
    everyMs,
    /** 0 or less where it is due. */
    nextDueInMs: sinceCheckMs === null || dirty ? 0 : Math.round(everyMs - sinceCheckMs),
    quarantined,
    lease,
    problem: problem?.message ?? null,
    mend: problem?.nextStep ?? null,
  }
}

function stateOf({ lease, bookmark }: SourceStatus, behind: boolean | null): State {
  if (lease !== null && lease.expiresInMs > 0) return 'syncing'
  if (behind === null) return 'unreachable'
  if (bookmark === null) return 'never_synced'
  return behind ? 'behind' : 'up_to_date'
}

type State = keyof typeof STYLES

const STYLES = {
  syncing: 'cyan',
  unreachable: 'red',
  never_synced: 'yellow',
  behind: 'yellow',
  up_to_date: 'green',
} as const

function show(sources: readonly Described[], output: Output): void {
  const rows = sources.map((source) => {
    const { id, state, behindMs, lastStatus, lastRun, nextDueInMs, quarantined, bookmark, lease } = source
    const since = state === 'behind' && behindMs !== null ? ` for ${duration(behindMs)}` : ''
    return [
      id,
      output.paint(STYLES[state], `${state.replaceAll('_', ' ')}${since}`),
      lastStatus ?? '–',
      lastRun === null ? 'never' : ago(new Date(lastRun.startedAt)),
      nextDueInMs > 0 ? `in ${duration(nextDueInMs)}` : 'now',
      String(quarantined),
      shortCommit(bookmark),
      lease === null ? '–' : `process ${lease.pid} on ${lease.host} for ${duration(lease.heldForMs)}`,
    ]
  })
  output.print(table(['source', 'state', 'last status', 'last run', 'due', 'set aside', 'bookmark', 'lease'], rows))
  for (const { id, problem, mend } of sources) {
    if (problem !== null && mend !== null && !output.quiet)
      process.stderr.write(problemText({ message: problem, nextStep: mend }, id))
  }
}
