import {
  currentCommit,
  readSources,
  type Source,
  type StoredSource,
  withoutSecrets,
} from '@tidemark/sync-core'
import type { Command } from 'commander'
import { table } from '../show/table.ts'
import { ago, shortCommit } from '../show/words.ts'
import { configOf, withDatabaseAsItIs } from './context.ts'
import { outputOf } from './globals.ts'

/** Tells where each source stands. */
export default async function status(_: object, command: Command): Promise<void> {
  const output = outputOf(command)
  const config = configOf(command)
  const remembered = await withDatabaseAsItIs(command, config, readSources)
  const stored = new Map(remembered.map((source) => [source.id, source]))
  const sources = await Promise.all(config.sources.map((source) => describe(source, stored.get(source.id))))
  if (output.json) {
    output.printJson({ sources })
    return
  }
  const rows = sources.map(({ id, lastStatus, bookmark, behind, lastSyncedAt, problem }) => [
    id,
    lastStatus ?? 'never synced',
    shortCommit(bookmark),
    problem ?? (behind ? output.paint('yellow', 'behind') : output.paint('green', 'up to date')),
    ago(lastSyncedAt),
  ])
  if (rows.length === 0)
    output.note(`${config.file} has no sources yet. Add one with: tidemark sources add <id> <repo>`)
  else output.print(table(['source', 'last run', 'bookmark', 'state', 'last synced'], rows))
}

async function describe(source: Source, stored: StoredSource | undefined) {
  const bookmark = stored?.bookmark ?? null
  const told = {
    id: source.id,
    repo: withoutSecrets(source.repo),
    ref: source.ref,
    bookmark,
    lastStatus: stored?.lastStatus ?? null,
    lastSyncedAt: stored?.lastSyncedAt ?? null,
    lastCheckedAt: stored?.lastCheckedAt ?? null,
  }
  try {
    const target = await currentCommit(source, AbortSignal.timeout(30_000))
    return { ...told, target, behind: target !== bookmark || (stored?.dirty ?? false), problem: null }
  } catch (error) {
    return { ...told, target: null, behind: null, problem: (error as Error).message }
  }
}
