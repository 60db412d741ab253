import type { Database } from '../database/database.ts'
import type { Embedding } from '../embed/embedding.ts'
import { redact } from '../redact.ts'
import { readModels } from '../store/embeddings/models.ts'
import { vectorSpace } from '../store/embeddings/vector-space.ts'
import {
  type FoundChunk,
  findHits,
  type QueryVector,
  type SearchHit,
  type SearchQuery,
} from '../store/search/find-hits.ts'
import { markWords } from '../store/search/mark-words.ts'
import { type IncompleteIndex, MAX_COUNTED, readIncomplete } from '../store/search/read-incomplete.ts'
import type { WordMatch } from '../store/search/text-search.ts'
import { SyncError } from '../sync-error.ts'
import type { Question } from './parse-question.ts'

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
 * @throws {SyncError} `NO_EMBEDDINGS` for a mode that needs them, `VECTOR_MISSING`, `VECTOR_SEARCH_FAILED`,
 *   `EMBEDDING_FAILED`, `EMBEDDING_REFUSED`; or the signal's reason.
 */
export async function search(db: Database, words: string, options: SearchOptions = {}): Promise<SearchResult> {
  const { sources = null, limit = DEFAULT_LIMIT, mode, signal } = options
  const warnings: SearchResult['warnings'][number][] = []
  const fallBack = (error: unknown) => {
    signal?.throwIfAborted()
    const failure = vectorError(error, db)
    // Without a mode, a search goes on without vectors, and warns why.
    if (mode !== undefined || failure === null) throw failure ?? error
    warnings.push({ code: 'text_only', message: `searched by words only: ${failure.message}` })
    return null
  }
  const vector = await embedQuery(db, words, options).catch(fallBack)
  if (vector === null && mode !== undefined && mode !== 'text') {
    const hint = 'Say in tidemark.yaml under "embedding" who makes them, then run: tidemark embed --all'
    throw new SyncError('NO_EMBEDDINGS', `there are no embeddings to search by in ${db.name}`, hint)
  }
  // Words are told apart by expressions that take a while to be compiled; nothing but a search needs them.
  const { parseQuestion } = await import('./parse-question.ts')
  const question = parseQuestion(words)
  const find = (vector: QueryVector | null) =>
    findMatching(db, question, { vector, sources, limit, mode: mode ?? (vector ? 'hybrid' : 'text') }, signal)
  const found = (vector && (await find(vector).catch(fallBack))) ?? (await find(null))
  const { chunks, ...rest } = found
  const incomplete = await readIncomplete(db, sources, signal)
  warnings.push(...incomplete.filter(({ pages }) => pages !== 0).map(incompleteWarning))
  return { ...rest, hits: await withExcerpts(db, question, chunks, signal), warnings }
}

const formatCount = (count: number) => `${count < MAX_COUNTED ? '' : 'more than '}${count.toLocaleString('en-US')}`

/** How much can be found of a source that is being filled. */
function incompleteWarning(index: IncompleteIndex): SearchResult['warnings'][number] {
  const { source, first } = index
  const what = first ? `the first sync of ${source} is not done` : `the search index of ${source} is not complete`
  return { code: 'incomplete', message: `${what}: ${foundPart(index)}` }
}

function foundPart({ first, pages, indexed }: IncompleteIndex): string {
  if (pages === null) return `${formatCount(indexed)} pages can be found, and not all`
  if (!first && indexed >= pages) return 'some pages are found as they were before'
  return `${formatCount(indexed)} of the ${formatCount(pages)} pages that are in can be found`
}

/** Finds by all of the words, or where nothing has them all, by any. */
async function findMatching(
  db: Database,
  { query, isPlain }: Question,
  { mode, ...options }: Pick<SearchQuery, 'vector' | 'sources' | 'limit'> & { readonly mode: SearchMode },
  signal: AbortSignal | undefined,
) {
  const find = (match: WordMatch | null) => findHits(db, { text: query, match, ...options }, signal)
  const match = matchFor(mode, isPlain)
  const chunks = await find(match)
  if (match !== 'all' || chunks.length > 0 || !isPlain) return { mode, match, chunks }
  const some = await find('any')
  return some.length > 0 ? { mode, match: 'any' as const, chunks: some } : { mode, match, chunks }
}

/** Why there is no search by vectors, in a database that does not let this role, or has not what it takes. */
function vectorError(error: unknown, db: Database): SyncError | null {
  if (error instanceof SyncError) return error
  const { code, message } = error as { code?: string; message: string }
  if (code === undefined || !/^[0-9A-Z]{5}$/.test(code)) return null
  const text = `the embeddings in ${db.name} cannot be searched: ${redact(message)}`
  return new SyncError('VECTOR_SEARCH_FAILED', text, HINTS[code] ?? 'See what is wrong: tidemark doctor', error)
}

const HINTS: Record<string, string> = {
  '42501': 'Have the owner run: GRANT SELECT ON ALL TABLES IN SCHEMA tidemark TO …',
  '57014': 'See whether they have an index: tidemark doctor',
}

/** Puts in the place of each text the part of it that shows what was found. */
async function withExcerpts(
  db: Database,
  { marked }: Question,
  found: readonly FoundChunk[],
  signal: AbortSignal | undefined,
): Promise<SearchHit[]> {
  const { cutExcerpt, excerptWords } = await import('./excerpt.ts')
  const texts = found.map(({ content }) => excerptWords(content))
  const candidates = texts.map(({ words }, i) => ({
    language: found[i]!.language,
    words: words.map(({ word }) => word),
  }))
  const marks = await markWords(db, marked, candidates, signal)
  return found.map(({ content, language, ...hit }, i) => ({ ...hit, ...cutExcerpt(texts[i]!, marks[i]!) }))
}

/** A question has words that the answer lacks, and then its meaning has to find it with those that are there. */
function matchFor(mode: SearchMode, isPlain: boolean): WordMatch | null {
  if (mode === 'vector') return null
  return mode === 'hybrid' && isPlain ? 'any' : 'all'
}

/**
 * Embeds words with the model whose set is complete: the one that is configured, or, until it has every chunk, the
 * newest other one that has; null where there is none, or no server to ask.
 */
async function embedQuery(db: Database, words: string, options: SearchOptions): Promise<QueryVector | null> {
  const { embedding, mode, signal } = options
  if (embedding === undefined || mode === 'text') return null
  const models = await readModels(db)
  const configured = models.find(({ model }) => model === embedding.model)
  const complete = models.filter(({ completedAt }) => completedAt !== null)
  const chosen = configured?.completedAt ? configured : (complete[0] ?? configured)
  if (chosen === undefined) return null
  const { model, dimensions } = chosen
  const space = await vectorSpace(db, dimensions)
  const server = { ...embedding, model, dimensions: model === embedding.model ? embedding.dimensions : undefined }
  const { embedTexts } = await import('../embed/embed-texts.ts')
  const { vectors } = await embedTexts(server, [words], { dimensions, signal, retry: false })
  return { model, space, vector: JSON.stringify(vectors[0]) }
}
