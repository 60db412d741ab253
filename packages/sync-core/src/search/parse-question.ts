import { RUNS, splitTerms, type Term } from '../store/search/split-terms.ts'
import type { TextQuery } from '../store/search/text-search.ts'

/** More than that is a page and not a question. */
const MAX_CHARACTERS = 1_000
/** A phrase that may be denied, "or", or anything else up to a space or a quotation mark. */
const OPERANDS = /(-?)"([^"]*)"?|([^\s"]+)/g

export interface Question {
  readonly query: TextQuery
  /** The words that are marked where they are found, as `to_tsquery` takes them. */
  readonly marked: string
  /** Whether it means the same word by word: it has no phrase, "or" and "-word". */
  readonly isPlain: boolean
}

/** Reads a question as a web search would: all of the words, `"a phrase"`, `or`, `-without`. */
export function parseQuestion(words: string): Question {
  const alternatives: string[][] = [[]]
  const any = new Set<string>()
  const marked = new Set<string>()
  let isPlain = true
  for (const [found, minus, phrase, word] of words.slice(0, MAX_CHARACTERS).normalize('NFC').matchAll(OPERANDS)) {
    const isDenied = minus === '-' || /^-[^-]/.test(word ?? '')
    const isOr = word?.toLowerCase() === 'or'
    if (isDenied || isOr || phrase !== undefined) isPlain = false
    if (isOr) {
      alternatives.push([])
      continue
    }
    const split = phrase === undefined ? splitOperands(found) : [splitTerms(phrase)]
    const operands = split.filter(({ length }) => length).map(withoutDouble)
    const queries = operands.map(phraseQuery)
    if (queries.length > 0) alternatives.at(-1)!.push(isDenied ? `!(${queries.join(' & ')})` : queries.join(' & '))
    if (isDenied) continue
    for (const query of [...queries, ...operands.flatMap(partQueries)]) any.add(query)
    for (const term of operands.flat()) for (const query of markQueries(term)) marked.add(query)
  }
  const all = alternatives.filter(({ length }) => length).map((each) => each.join(' & '))
  return { query: { all: all.join(' | '), any: [...any] }, marked: [...marked].join(' | '), isPlain }
}

/** Identifiers as they stand; text without spaces word by word, so that its words may stand apart in a page. */
function splitOperands(text: string): Term[][] {
  return text.split(RUNS).flatMap((part, i) => {
    if (i % 2 === 0) return [splitTerms(part)]
    // Made here: it takes longer than most searches do.
    const segmenter = new Intl.Segmenter('en', { granularity: 'word' })
    return [...segmenter.segment(part)].map(({ segment }) => splitTerms(segment))
  })
}

/** Without the last character by itself where it is in the pair before it. */
const withoutDouble = (terms: readonly Term[]) =>
  terms.at(-1)!.characters === 1 && terms.at(-2)?.end === terms.at(-1)!.end ? terms.slice(0, -1) : terms

/** Terms one after another; or what the whole of them is spelled like. */
function phraseQuery(terms: readonly Term[]): string {
  const phrase = terms.map(wordQuery).join(' <-> ')
  const { spelling } = terms[0]!
  return spelling?.end === terms.at(-1)!.end ? `(${phrase} | ${quote(spelling.word)})` : `(${phrase})`
}

/** Where no page has the whole of an identifier, some have its parts; part of a word without spaces means nothing. */
const partQueries = (terms: readonly Term[]) =>
  terms.filter(({ characters }) => characters === undefined).map((term) => phraseQuery([term]))

const markQueries = ({ word, spelling }: Term) => (spelling ? [quote(word), quote(spelling.word)] : [quote(word)])

const wordQuery = ({ word, characters }: Term) => (characters === 1 ? `${quote(word)}:*` : quote(word))

/** A word is letters and digits alone. */
const quote = (word: string) => `'${word}'`
