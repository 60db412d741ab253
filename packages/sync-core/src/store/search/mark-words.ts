import type { Database } from '../../database/database.ts'

/** Words of one text, to be looked through. */
export interface Candidates {
  /** A dictionary of Postgres. */
  readonly language: string
  readonly words: readonly string[]
}

/** Characters that no word is made of. */
const [START, STOP] = ['\uE000', '\uE001']

/** For each text whether its words are, to its dictionary, among those of a `to_tsquery` expression. */
export async function markWords(
  db: Database,
  query: string,
  texts: readonly Candidates[],
  signal?: AbortSignal,
): Promise<boolean[][]> {
  if (texts.length === 0) return []
  const given = texts.map(({ language, words }) => ({ language, text: words.join(' ') }))
  const { rows } = await db.query<{ marked: string }>(MARK_WORDS, [query, JSON.stringify(given)], signal)
  return rows.map(({ marked }) => marked.split(' ').map((word) => word.includes(START)))
}

const MARK_WORDS = /* sql */ `
SELECT ts_headline(text.language::regconfig, text.text, to_tsquery(text.language::regconfig, $1),
  'HighlightAll=true, StartSel=${START}, StopSel=${STOP}') AS marked
FROM ROWS FROM (json_to_recordset($2::json) AS (language text, text text)) WITH ORDINALITY AS text ORDER BY ordinality`
