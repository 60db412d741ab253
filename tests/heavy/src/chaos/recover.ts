import { join } from 'node:path'
import { migrate, openDatabase, syncSource } from '@tidemark/sync-core'
import { digestOf } from '@tidemark/test-engines/contents'
import type { Ground } from '../ground/ground.ts'
import type { MovingSource } from './moving-source.ts'
import { LEASES } from './settings.ts'
import type { Finding } from './violation.ts'

interface Recovery {
  readonly url: string
  /** An empty database. */
  readonly freshUrl: string
  readonly sources: readonly MovingSource[]
  readonly home: string
  readonly ground: Ground
}

/** Runs every source once more, undisturbed, and beside it an import from nothing; both must come to the same. */
export async function recover({ url, freshUrl, sources, home, ground }: Recovery): Promise<Finding[]> {
  const { signal } = ground
  const findings: Finding[] = []
  const db = await openDatabase(url, { ...LEASES, signal })
  const fresh = await openDatabase(freshUrl, { signal })
  try {
    await migrate(fresh)
    for (const { id, repo, positions } of sources) {
      signal.throwIfAborted()
      const source = { id, repo, ref: 'main' }
      const result = await syncSource(db, source, { clones: join(home, 'clones'), waitMs: 10_000, signal })
      await syncSource(fresh, source, { clones: join(home, 'fresh-clones'), signal })
      if (!DONE.has(result.status) || result.bookmark !== positions.at(-1)) {
        findings.push({ promise: 'recovered', source: id, seen: JSON.stringify(result) })
      }
      if ((await digestOf(db, id)) !== (await digestOf(fresh, id))) {
        findings.push({ promise: 'derived', source: id, seen: `it differs at ${positions.at(-1)}` })
      }
    }
  } finally {
    await fresh.close()
    await db.close()
  }
  return findings
}

const DONE: ReadonlySet<string> = new Set(['first_sync', 'synced', 'up_to_date'])
