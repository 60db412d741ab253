import { pairs, splitTerms } from '../store/search/split-terms.ts'

/** Some of a text on one line, and where in it the words are that were found. */
export interface Excerpt {
  readonly excerpt: string
  readonly matches: readonly { readonly start: number; readonly end: number }[]
}

/** How many words are shown, and how many of them before the first that was found. */
const MAX_WORDS = 35
const WORDS_BEFORE = 5
/** As much is added of an identifier that would be cut. */
const MAX_ADDED = 40

/** The words of a text with all spellings, in an order of their own; {@link cutExcerpt} takes which were found. */
export function excerptWords(original: string) {
  const text = original.normalize('NFC')
  const terms = splitTerms(text)
  const words = terms.flatMap(({ word, start, end, spelling, unsigned, characters }, at) => [
    { word, start, end, at },
    ...(characters === 2 ? [firstCharacter(text, start, terms[at + 1]!.start, at)] : []),
    ...(spelling ? [{ word: spelling.word, start, end: spelling.end, at }] : []),
    ...(unsigned ? [{ word: unsigned, start, end: start + unsigned.length, at }] : []),
  ])
  return { text, terms, words }
}

/** Of a pair, which a question of one character finds. */
function firstCharacter(text: string, start: number, end: number, at: number) {
  const character = text.slice(start, end).trim()
  return { word: pairs([character])[0]!, start, end: start + character.length, at }
}

/** The part of a text where most of what was found stands together; its beginning where nothing was. */
export function cutExcerpt(
  { text, terms, words }: ReturnType<typeof excerptWords>,
  marked: readonly boolean[],
): Excerpt {
  const found = words.filter((_, i) => marked[i])
  const best = densest(found)
  const last = Math.max(terms.length - MAX_WORDS, 0)
  const first = Math.min(Math.max(best - WORDS_BEFORE, 0), last)
  const from = first === 0 ? 0 : beginOfIdentifier(text, terms[first]!.start)
  const to = first === last ? text.length : endOfIdentifier(text, terms[first + MAX_WORDS - 1]!.end)
  let [excerpt, position] = ['', from]
  const matches: { start: number; end: number }[] = []
  for (const { start, end } of joinRanges(text, found)) {
    if (start < from || end > to) continue
    excerpt += oneLine(text.slice(position, start))
    if (position === from) excerpt = excerpt.trimStart()
    const match = oneLine(text.slice(start, end))
    matches.push({ start: excerpt.length, end: excerpt.length + match.length })
    excerpt += match
    position = end
  }
  excerpt += oneLine(text.slice(position, to))
  return { excerpt: matches.length === 0 ? excerpt.trim() : excerpt.trimEnd(), matches }
}

/** The place of the found word that is followed by most different ones. */
function densest(found: readonly { readonly word: string; readonly at: number }[]): number {
  let best = { at: 0, words: 0 }
  for (const [i, { at }] of found.entries()) {
    const near = new Set<string>()
    for (let n = i; n < found.length && found[n]!.at < at + MAX_WORDS - WORDS_BEFORE; n++) near.add(found[n]!.word)
    if (near.size > best.words) best = { at, words: near.size }
  }
  return best.at
}

/** Ranges that overlap, or that only signs are between: the parts of an identifier. */
function joinRanges(text: string, ranges: readonly { readonly start: number; readonly end: number }[]) {
  const joined: { start: number; end: number }[] = []
  for (const { start, end } of ranges.toSorted((a, b) => a.start - b.start)) {
    const before = joined.at(-1)
    if (before && !/[\s\p{L}\p{N}]/u.test(text.slice(before.end, start))) before.end = Math.max(before.end, end)
    else joined.push({ start, end })
  }
  return joined
}

const beginOfIdentifier = (text: string, start: number) =>
  start - /[!-~]*$/.exec(text.slice(Math.max(start - MAX_ADDED, 0), start))![0].length

const endOfIdentifier = (text: string, end: number) => end + /^[!-~]*/.exec(text.slice(end, end + MAX_ADDED))![0].length

const oneLine = (text: string) => text.replace(/\s+/g, ' ')
