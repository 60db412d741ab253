import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type pg from 'pg'
import { embed } from './embed.ts'
import { type LegacyPage, pageOf } from './page.ts'
import { say } from './say.ts'

export interface ImportSettings {
  readonly source: string
  readonly folder: string
  readonly embeddingUrl: string
  /** Passes over a file whose content is stored already: the first fix relies on it. */
  readonly skipStored: boolean
}

/** Reads one file and stores it, a statement for each row, its chunks embedded before the next file is looked at. */
export async function importFile(db: pg.Client, path: string, settings: ImportSettings): Promise<void> {
  const { source, folder, embeddingUrl, skipStored } = settings
  const page = pageOf(await readFile(join(folder, path), 'utf8'))
  say({ read: path, hash: page.hash })
  if (skipStored) {
    const { rows } = await db.query('SELECT content_hash FROM legacy.pages WHERE source_id = $1 AND path = $2', [
      source,
      path,
    ])
    if (rows[0]?.content_hash === page.hash) return
  }
  const embeddings = await embed(embeddingUrl, page.chunks)
  await store(db, source, path, page, embeddings)
}

async function store(
  db: pg.Client,
  source: string,
  path: string,
  page: LegacyPage,
  embeddings: readonly number[][],
): Promise<void> {
  await db.query('BEGIN')
  await db.query(
    `INSERT INTO legacy.pages VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (source_id, path) DO UPDATE SET content_hash = $3, title = $4, content = $5`,
    [source, path, page.hash, page.title, page.content],
  )
  await db.query('DELETE FROM legacy.chunks WHERE source_id = $1 AND path = $2', [source, path])
  for (const [ordinal, chunk] of page.chunks.entries()) {
    await db.query('INSERT INTO legacy.chunks VALUES ($1, $2, $3, $4, $5)', [
      source,
      path,
      ordinal,
      chunk,
      embeddings[ordinal],
    ])
  }
  await db.query('COMMIT')
}
