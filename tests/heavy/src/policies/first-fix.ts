import { legacyDatabase } from './legacy-database.ts'
import type { Policy, Scene, WaveWork } from './policy.ts'
import { runLegacy } from './run-legacy.ts'

/** The incumbent's fix: old locks are broken by age, then a process and a budget for each source. */
export async function firstFix(scene: Scene): Promise<Policy> {
  const { ground, limits, sources, embeddingUrl } = scene
  const { url: database, bookmarks, close } = await legacyDatabase(scene, 'first_fix')
  const halfHourMs = limits.hourMs / 2
  const leases = { ttlMs: halfHourMs, refreshMs: halfHourMs / 6 }
  const budget = { budgetMs: limits.budgetSeconds * 1_000, embeddingUrl, ...leases }
  const run = { killAfterMs: limits.hardMs, signal: ground.signal, seen: new Set<string>(), keeps: true }
  return {
    name: 'first fix',
    bookmarks,
    close,
    async wave() {
      await runLegacy('sync-one', { database, breakOlderThanMs: halfHourMs }, run)
      const waves: WaveWork[] = []
      for (const { id } of sources) {
        if (ground.signal.aborted) break
        waves.push(await runLegacy('sync-one', { database, source: id, ...budget }, run))
      }
      return { cut: waves.some(({ cut }) => cut), work: waves.flatMap(({ work }) => work) }
    },
  }
}
