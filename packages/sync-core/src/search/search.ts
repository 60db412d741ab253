import type { Database } from '../database/database.ts'
import type { Embedding } from '../embed/embedding.ts'
import { findHits, HIGHLIGHT, type HitRow, type QueryVector } from '../store/search/find-hits.ts'
import type { WordMatch } from '../store/search/text-search.ts'
import { SyncError } from '../sync-error.ts'
import { embedQuery } from './embed-query.ts'

export type SearchMode = 'text' | 'vector' | 'hybrid'

export interface SearchOptions {
  /** Ids of sources; all by default. */
  readonly sources?: readonly string[] | undefined
  /** The most hits; 10 by default. */
  readonly limit?: number | undefined
  /** `hybrid` where there are embeddings and `embedding` is given, `text` otherwise, by default. */
  readonly mode?: SearchMode | undefined
  /** Who embeds the words that are searched for. */
  readonly embedding?: Embedding | undefined
  readonly signal?: AbortSignal | undefined
}

/** A page that was found, by the chunk of it that fits best. */
export interface SearchHit {
  readonly source: string
  readonly path: string
  readonly title: string
  /** The headings that the chunk stands under, outermost first. */
  readonly headingPath: readonly string[]
  /** Some of the chunk, on one line. */
  readonly excerpt: string
  /** Where in the excerpt the words are that were found. */
  readonly matches: readonly { readonly start: number; readonly end: number }[]
  /** What the hits are in order of; it compares hits of one search and nothing else. */
  readonly score: number
  /** Its rank by words and by meaning, from 1; null where it was not among the first of them. */
  readonly ranks: { readonly text: number | null; readonly vector: number | null }
  /** When its source was brought up to date last, and for how long a newer commit is known, by the database's clock. */
  readonly lastSyncedAt: Date | null
  readonly behindMs: number | null
}

export interface SearchResult {
  readonly mode: SearchMode
  /** Whether chunks were looked for that have all of the words, or any; null where words were not looked at. */
  readonly match: WordMatch | null
  readonly hits: readonly SearchHit[]
  readonly warnings: readonly { readonly code: string; readonly message: string }[]
}

const DEFAULT_LIMIT = 10

/**
 * Finds pages by words, by meaning, or by both: the pages that either finds are put in one order by reciprocal rank
 * fusion. Words are as a web search has them: `"a phrase"`, `or`, `-without`. Where no chunk has all of the words,
 * those with any of them are found, rare words first; where meaning is looked at too, at once.
 *
 * ```ts
 * const { hits } = await search(db, 'proxy "dev server" -webpack', { sources: ['vite'], limit: 5 })
 * ```
 *
 * @throws {SyncError} `NO_EMBEDDINGS` where a mode is asked for that needs them, `VECTOR_MISSING`, `EMBEDDING_FAILED`,
 *   `EMBEDDING_REFUSED`; or the signal's reason.
 */
export async function search(db: Database, words: string, options: SearchOptions = {}): Promise<SearchResult> {
  const { sources = null, limit = DEFAULT_LIMIT, mode, embedding, signal } = options
  const warnings: SearchResult['warnings'][number][] = []
  const vector = mode === 'text' ? null : await tryEmbedQuery()
  const chosen: SearchMode = mode ?? (vector === null ? 'text' : 'hybrid')
  const find = (match: WordMatch | null) => findHits(db, { words, match, vector, sources, limit }, signal)
  let match = matchFor(chosen, words)
  let rows = await find(match)
  if (match === 'all' && rows.length === 0 && isPlain(words)) {
    const some = await find('any')
    if (some.length > 0) [match, rows] = ['any', some]
  }
  return { mode: chosen, match, hits: rows.map(toHit), warnings }

  /** Where no mode is asked for, a search goes on without vectors, and says why. */
  async function tryEmbedQuery(): Promise<QueryVector | null> {
    try {
      const embedded = await embedQuery(db, words, embedding, signal)
      if (embedded !== null || mode === undefined) return embedded
    } catch (error) {
      signal?.throwIfAborted()
      if (mode !== undefined || !(error instanceof SyncError)) throw error
      warnings.push({ code: 'text_only', message: `searched by words only: ${error.message}` })
      return null
    }
    throw new SyncError(
      'NO_EMBEDDINGS',
      `there are no embeddings to search by in ${db.name}`,
      'Say in tidemark.yaml under "embedding" who makes them, then run: tidemark embed --all',
    )
  }
}

/** Whether the words can be asked for one by one without changing what was meant. */
const isPlain = (words: string) => !/"|(^|\s)-|(^|\s)or(\s|$)/i.test(words)

/** A question has words that the answer lacks, and then its meaning has to find it with those that are there. */
function matchFor(mode: SearchMode, words: string): WordMatch | null {
  if (mode === 'vector') return null
  return mode === 'hybrid' && isPlain(words) ? 'any' : 'all'
}

function toHit({ textRank, vectorRank, excerpt, ...hit }: HitRow): SearchHit {
  return { ...hit, ...splitHighlights(excerpt), ranks: { text: textRank, vector: vectorRank } }
}

/** Takes the highlight characters out of an excerpt, and tells where they were. */
function splitHighlights(excerpt: string): Pick<SearchHit, 'excerpt' | 'matches'> {
  const [start, stop] = HIGHLIGHT
  let text = ''
  const matches: { start: number; end: number }[] = []
  for (const part of excerpt.replace(/\s+/g, ' ').trim().split(start)) {
    const end = part.indexOf(stop)
    if (end >= 0) matches.push({ start: text.length, end: text.length + end })
    text += part.replace(stop, '')
  }
  return { excerpt: text, matches }
}
