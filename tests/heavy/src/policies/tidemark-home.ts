import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import pg from 'pg'
import { TIDEMARK } from '../ground/tidemark.ts'
import type { Scene } from './policy.ts'

/** A folder with a `tidemark.yaml` and the command on its `PATH`, and a database with what is there before the first wave. */
export async function tidemarkHome({ ground, sources }: Scene, name: string) {
  const database = await ground.createDatabase(name)
  const folder = join(ground.folder, name)
  await mkdir(join(folder, 'bin'), { recursive: true })
  // Where there is such a folder, as users have it, the command keeps its compiled code.
  await mkdir(join(folder, '.cache'))
  const command = join(folder, 'bin', 'tidemark')
  await writeFile(command, `#!/bin/sh\nexec '${process.execPath}' '${TIDEMARK}' "$@"\n`)
  await chmod(command, 0o755)
  const config = sources.map(({ id, folder }) => [id, { repo: folder, ref: 'main' }])
  // JSON is YAML.
  // What an index takes of an hour, some seconds, would be minutes of a scaled one; the old policy has none either.
  const settings = { search: false, sources: Object.fromEntries(config) }
  await writeFile(join(folder, 'tidemark.yaml'), JSON.stringify(settings))
  const env = {
    PATH: `${join(folder, 'bin')}:/usr/local/bin:/usr/bin:/bin`,
    HOME: folder,
    DATABASE_URL: database,
  }
  const known = sources.filter(({ isNew }) => !isNew).flatMap(({ id }) => ['--source', id])
  const prepare = known.length > 0 ? ['sync', ...known] : ['migrate']
  await execa(command, prepare, { cwd: folder, env, extendEnv: false })
  const db = new pg.Pool({ connectionString: database, max: 2 })
  // A server that is stopped while they are idle is no error of theirs.
  db.on('error', () => {})
  await db.query('ANALYZE')
  return {
    command,
    cwd: folder,
    env,
    async bookmarks(): Promise<ReadonlyMap<string, string | null>> {
      const { rows } = await db.query('SELECT id, bookmark FROM tidemark.sources')
      const known = new Map<string, string | null>(rows.map((row) => [row.id, row.bookmark]))
      return new Map(sources.map(({ id }) => [id, known.get(id) ?? null]))
    },
    close: () => db.end(),
  }
}

export type TidemarkHome = Awaited<ReturnType<typeof tidemarkHome>>
