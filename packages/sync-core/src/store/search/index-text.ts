import { BEGINS_RUN, CHARACTERS, PLAIN, pairs, splitTerms, termPattern } from './split-terms.ts'

/** What a word, a run or an emoji becomes in the index. */
interface Indexed {
  readonly words: string
  /** Further spellings. */
  readonly spellings: readonly string[]
}

/** The vocabulary of a documentation; then it begins anew. */
const MAX_REMEMBERED = 50_000
const MAX_REMEMBERED_LENGTH = 40

/**
 * Makes the function that prepares text for `to_tsvector`: its terms in order, so that phrases are found, and after
 * them each other spelling once. It remembers words, most of which come again and again.
 */
export function createIndexText(): (text: string) => string {
  const remembered = new Map<string, Indexed>()
  const indexed = (found: string): Indexed => {
    const known = remembered.get(found)
    if (known !== undefined) return known
    const terms = splitTerms(found)
    const words = terms.map(({ word }) => word).join(' ')
    const others = terms.flatMap(({ spelling, unsigned }) => [spelling?.word, unsigned])
    const entry = { words, spellings: others.filter((other) => other !== undefined) }
    if (remembered.size >= MAX_REMEMBERED) remembered.clear()
    if (found.length <= MAX_REMEMBERED_LENGTH) remembered.set(found, entry)
    return entry
  }
  return (original) => {
    const text = original.normalize('NFC')
    const spellings = new Set<string>()
    const terms = []
    for (const found of text.match(termPattern(text)) ?? []) {
      // Postgres does not mind the case of ASCII.
      if (PLAIN.test(found)) terms.push(found)
      else if (BEGINS_RUN.test(found)) terms.push(pairs(found.match(CHARACTERS)!).join(' '))
      else {
        const entry = indexed(found)
        terms.push(entry.words)
        for (const spelling of entry.spellings) spellings.add(spelling)
      }
    }
    return [...terms, ...spellings].join(' ')
  }
}
