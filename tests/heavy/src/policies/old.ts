import { legacyDatabase } from './legacy-database.ts'
import type { Policy, Scene } from './policy.ts'
import { runLegacy } from './run-legacy.ts'

/** One process for all sources, killed at the wave's limit. */
export async function old(scene: Scene): Promise<Policy> {
  const { ground, limits, sources, embeddingUrl } = scene
  const { url: database, bookmarks, close } = await legacyDatabase(scene, 'old')
  const argument = { database, embeddingUrl, sources: sources.map(({ id }) => id), ttlMs: limits.legacyTtlMs }
  const run = { killAfterMs: limits.waveMs, signal: ground.signal, seen: new Set<string>(), keeps: false }
  return { name: 'old', bookmarks, close, wave: () => runLegacy('sync-all', argument, run) }
}
