import type pg from 'pg'
import { linksIn } from './page.ts'

/** The links of all pages of a source, looked for anew page by page, whatever has changed. */
export async function extractLinks(db: pg.Client, source: string): Promise<void> {
  const { rows } = await db.query('SELECT path FROM legacy.pages WHERE source_id = $1', [source])
  for (const { path } of rows) {
    const page = await db.query('SELECT content FROM legacy.pages WHERE source_id = $1 AND path = $2', [source, path])
    const stored = await db.query('SELECT target FROM legacy.links WHERE source_id = $1 AND path = $2', [source, path])
    const [now, before] = [linksIn(page.rows[0]?.content ?? ''), stored.rows.map(({ target }) => target)]
    if (now.toSorted().join('\n') === before.toSorted().join('\n')) continue
    await db.query('DELETE FROM legacy.links WHERE source_id = $1 AND path = $2', [source, path])
    for (const target of now) await db.query('INSERT INTO legacy.links VALUES ($1, $2, $3)', [source, path, target])
  }
}
