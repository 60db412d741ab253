import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import pMap from 'p-map'
import type pg from 'pg'
import { linksIn, pageOf } from './page.ts'
import { LEGACY_SCHEMA } from './schema.ts'

/** The incumbent's database as it was before the first wave: clones and, but for what is new, every page of them. */
export async function seedLegacy(
  db: pg.Pool,
  sources: readonly { id: string; folder: string; isNew: boolean }[],
  home: string,
): Promise<void> {
  await db.query(LEGACY_SCHEMA)
  for (const { id, folder, isNew } of sources) {
    const clone = join(home, id)
    await execa('git', ['clone', '--quiet', '--shared', folder, clone])
    const { stdout: head } = await execa('git', ['-C', clone, 'rev-parse', 'HEAD'])
    await db.query('INSERT INTO legacy.sources VALUES ($1, $2, $3)', [id, clone, isNew ? null : head])
    if (isNew) continue
    const { stdout } = await execa('git', ['-C', clone, 'ls-files'])
    const pages = await pMap(
      stdout.split('\n'),
      async (path) => ({ path, ...pageOf(await readFile(join(clone, path), 'utf8')) }),
      { concurrency: 16 },
    )
    const rows = pages.map(({ chunks: _, ...page }) => page)
    await db.query(
      `INSERT INTO legacy.pages SELECT $1, path, hash, title, content
       FROM json_to_recordset($2) AS p (path text, hash text, title text, content text)`,
      [id, JSON.stringify(rows)],
    )
    const links = pages.flatMap(({ path, content }) => linksIn(content).map((target) => ({ path, target })))
    await db.query(
      'INSERT INTO legacy.links SELECT $1, path, target FROM json_to_recordset($2) AS l (path text, target text)',
      [id, JSON.stringify(links)],
    )
  }
  await db.query('ANALYZE legacy.pages, legacy.links')
}
