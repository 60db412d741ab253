import type { Database } from '@tidemark/sync-core'
import { seededRandom } from '@tidemark/test-engines/seeded-random'

/** What people might search for: one to three words that follow each other on a page. */
export async function searchWords(db: Database, wanted: number, seed: number): Promise<string[]> {
  const random = seededRandom(seed)
  const { rows } = await db.query<{ content: string }>(
    'SELECT content FROM tidemark.pages ORDER BY md5(path || $1) LIMIT $2',
    [String(seed), wanted],
  )
  return rows.map(({ content }) => {
    const words = content.match(/[A-Za-z]{3,}/g) ?? ['nothing']
    const at = Math.floor(random() * words.length)
    return words.slice(at, at + 1 + Math.floor(random() * 3)).join(' ')
  })
}
