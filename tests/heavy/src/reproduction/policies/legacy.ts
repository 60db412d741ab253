import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createPool } from '../../harness/harness.ts'
import { startProcess } from '../../harness/process.ts'
import { seedLegacy } from '../legacy/database.ts'
import type { LegacyArguments, LegacyEvent } from '../legacy/sync.ts'
import { type Policy, type PolicyContext, runInTurn, type SourceWork, type WaveWork } from './policy.ts'

/** One process for all sources, killed at the wave's limit. */
export async function old(context: PolicyContext): Promise<Policy> {
  const { limits, sources } = context
  const legacy = await createLegacy(context, 'old', { keeps: false, killAfterMs: limits.waveMs })
  const ids = sources.map(({ id }) => id)
  return { name: 'old', ...legacy, wave: () => legacy.run({ sources: ids, ttlMs: limits.legacyTtlMs }) }
}

/** The incumbent's fix: old locks are broken by age, then a process and a budget for each source. */
export async function firstFix(context: PolicyContext): Promise<Policy> {
  const { limits } = context
  const legacy = await createLegacy(context, 'first_fix', { keeps: true, killAfterMs: limits.hardMs })
  const halfHourMs = limits.hourMs / 2
  const lock = { ttlMs: halfHourMs, refreshMs: halfHourMs / 6 }
  return {
    name: 'first fix',
    ...legacy,
    async wave() {
      await legacy.run({ sources: [], ...lock, breakOlderThanMs: halfHourMs })
      const budgetMs = limits.budgetSeconds * 1_000
      return runInTurn(context, (id) => legacy.run({ sources: [id], ...lock, budgetMs }))
    },
  }
}

const DRIVER = fileURLToPath(new URL('../legacy/sync.ts', import.meta.url))

/** A database of the incumbent's as it is before the first wave, and its driver. */
async function createLegacy(
  { harness, sources, embeddingUrl }: PolicyContext,
  name: string,
  { keeps, killAfterMs }: { keeps: boolean; killAfterMs: number },
) {
  const database = await harness.createDatabase(name)
  const folder = join(harness.folder, name)
  await mkdir(folder)
  const db = createPool(database)
  await seedLegacy(db, sources, folder)
  /** Versions of files that the policy has read so far. */
  const seen = new Set<string>()
  return {
    async run(settings: Omit<LegacyArguments, 'database' | 'embeddingUrl'>): Promise<WaveWork> {
      const work: { -readonly [Key in keyof SourceWork]: SourceWork[Key] }[] = []
      const onLine = (line: string) => {
        const event = JSON.parse(line) as LegacyEvent
        const now = performance.now()
        if ('begin' in event) {
          work.push({ source: event.begin, startMs: now, endMs: now, read: 0, stored: 0, keeps })
          return
        }
        const last = work.at(-1)!
        last.endMs = now
        if ('read' in event) {
          const version = `${last.source} ${event.read} ${event.hash}`
          last.read++
          if (!seen.has(version)) last.stored++
          seen.add(version)
        } else if (event.status === 'locked') last.refusedBy = isAlive(event.holderPid) ? 'running' : 'stale_lock'
      }
      const args = JSON.stringify({ database, embeddingUrl, ...settings })
      const options = { killAfterMs, signal: harness.signal, onLine }
      const { killed } = await startProcess([process.execPath, DRIVER, args], options).ended
      return { killed, work }
    },
    async bookmarks(): Promise<ReadonlyMap<string, string | null>> {
      const { rows } = await db.query('SELECT id, last_commit FROM legacy.sources')
      return new Map(rows.map((row) => [row.id, row.last_commit]))
    },
    close: () => db.end(),
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
