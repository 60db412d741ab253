import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { seedLegacy } from '../legacy/seed.ts'
import type { Scene } from './policy.ts'

/** A database of the incumbent's with everything in it that is there before the first wave. */
export async function legacyDatabase({ ground, sources }: Scene, name: string) {
  const url = await ground.createDatabase(name)
  const folder = join(ground.folder, name)
  await mkdir(folder)
  const db = new pg.Pool({ connectionString: url, max: 2 })
  // A server that is stopped while they are idle is no error of theirs.
  db.on('error', () => {})
  await seedLegacy(db, sources, folder)
  return {
    url,
    async bookmarks(): Promise<ReadonlyMap<string, string | null>> {
      const { rows } = await db.query('SELECT id, last_commit FROM legacy.sources')
      return new Map(rows.map((row) => [row.id, row.last_commit]))
    },
    close: () => db.end(),
  }
}
