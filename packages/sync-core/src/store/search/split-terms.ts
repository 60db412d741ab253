/**
 * How text becomes the terms that it is found by; pages and questions alike. A term is letters and digits alone, so the
 * parser of Postgres, with ideas of its own about paths, hosts and signs, finds nothing to put together.
 *
 * - Identifiers are cut into their parts, one after another: as a whole they are the phrase of their parts.
 * - Accents are folded. The word as it stands is a second spelling, because stemmers go by accents.
 * - Scripts without spaces become pairs of characters: whatever part of the text is asked for is a phrase of them, with
 *   no dictionary that would have to be the same for ever.
 *
 * What this returns is stored: a change of it needs a migration that has the index made anew, as 0003 is one.
 */
export interface Term {
  readonly word: string
  /** Where in the text it stands. */
  readonly start: number
  readonly end: number
  /** What the term, or all from it up to `end`, is found by too: `getusername` at the first of three. */
  readonly spelling?: { readonly word: string; readonly end: number }
  /** What it is found by without its sign: `c` of `C++`, which is not what someone looks for who says `C++`. */
  readonly unsigned?: string
  /** How many characters of a script without spaces it is; by one a question means any pair that begins with it. */
  readonly characters?: 1 | 2
}

/** Postgres takes words of 2,046 bytes. */
const MAX_WORD_CHARACTERS = 200
/** Of more than that, with digits among them, a hash or a key is made and not a name. */
const MAX_PIECES = 6

const SPACELESS = String.raw`[[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Bopo}\p{scx=Hang}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}]&&[\p{L}\p{N}]]`
// Half-width katakana have their marks after them.
const CHARACTER = String.raw`${SPACELESS}\p{M}*[ﾞﾟ]?`
// A paragraph may be wrapped inside of a word.
const RUN = String.raw`(?:${CHARACTER}\n?)+`
export const CHARACTERS = new RegExp(CHARACTER, 'gv')
/** Parts of a text in scripts without spaces. */
export const RUNS = new RegExp(`(${RUN})`, 'v')
export const BEGINS_RUN = new RegExp(`^${SPACELESS}`, 'v')

// Compounds of short words, `to-do`, `and/or`, `R&D`: each part may be a stop word, so that nothing of them is left.
const words = (letter: string, inside: string) =>
  String.raw`(?:[a-zA-Z]{1,4}(?:[\-\/&][a-zA-Z]{1,4}){1,2}(?!${inside})|${letter}${inside}*)(?:\+\+|#(?!${letter}))?`
// Soft hyphens and joiners stand inside of words.
const WORD = words(
  String.raw`[[\p{L}\p{N}]--${SPACELESS}]`,
  String.raw`[[\p{L}\p{N}\p{M}\u00AD\u200C\u200D]--${SPACELESS}]`,
)
const EMOJI = String.raw`[[\p{Extended_Pictographic}\p{RI}]--[©®™]]`
const TERMS = new RegExp(`${WORD}|${RUN}|${EMOJI}`, 'gv')
const BEGINS_EMOJI = new RegExp(`^${EMOJI}`, 'v')
// The same for most texts, in a fifth of the time.
const ASCII_TERMS = new RegExp(words('[A-Za-z0-9]', '[A-Za-z0-9]'), 'g')

/** A word that is one term and has no other spelling, as most are. */
export const PLAIN = /^(?:[A-Za-z][a-z]{0,50}|[0-9]{1,50})$/

/** What the terms of a text in NFC are made of, each by itself: a word, a run of characters or an emoji. */
export const termPattern = (text: string) => (isAscii(text) ? ASCII_TERMS : TERMS)

const isAscii = (text: string) => !/[^\0-\x7F]/.test(text)

/** The terms of a text in NFC, in its order. */
export function splitTerms(text: string): Term[] {
  const terms: Term[] = []
  for (const { 0: found, index } of text.matchAll(termPattern(text))) {
    if (PLAIN.test(found)) terms.push({ word: found.toLowerCase(), start: index, end: index + found.length })
    else if (BEGINS_RUN.test(found)) pushPairs(terms, found, index)
    else if (BEGINS_EMOJI.test(found))
      terms.push({ word: `u${found.codePointAt(0)!.toString(16)}`, start: index, end: index + found.length })
    else pushWord(terms, found, index)
  }
  return terms
}

/** Full-width letters, half-width katakana and what else is there for the sake of older encodings. */
const COMPATIBLE = /[\u3200-\u33FF\uF900-\uFAFF\uFF00-\uFFEF]/

/** The words of a run: each character with the next one, and the last one by itself. */
export function pairs(characters: readonly string[]): string[] {
  const letters = characters.map((each) => (COMPATIBLE.test(each) ? onlyLetters(each.normalize('NFKC')) || each : each))
  return letters.map((letter, i) => cut(letter + (letters[i + 1] ?? '')))
}

function pushPairs(terms: Term[], run: string, start: number): void {
  const found = [...run.matchAll(CHARACTERS)]
  const words = pairs(found.map(([character]) => character))
  for (const [i, first] of found.entries()) {
    const last = found[i + 1] ?? first
    const end = start + last.index + last[0].length
    terms.push({ word: words[i]!, start: start + first.index, end, characters: last === first ? 1 : 2 })
  }
}

// "APIs" is one word, "HTTPServer2" are three.
const MARK = String.raw`[\p{M}\u00AD\u200C\u200D]`
const UPPER = String.raw`\p{Lu}${MARK}*`
const PIECES = new RegExp(
  String.raw`\p{N}[\p{N}${MARK}]*|(?:${UPPER}){2,}s(?!\p{L})|(?:${UPPER})+(?!\p{Ll})|(?:${UPPER})?[\p{Ll}\p{Lt}\p{Lm}\p{Lo}${MARK}]+`,
  'gv',
)

function pushWord(terms: Term[], found: string, start: number): void {
  const end = start + found.length
  const sign = found.endsWith('++') ? 'plusplus' : found.endsWith('#') ? 'sharp' : ''
  const letters = onlyLetters(found)
  const pieces = [...found.matchAll(PIECES)]
  const isKey = pieces.length > MAX_PIECES && /\p{N}/u.test(found)
  if (pieces.length < 2 || isKey) pieces.splice(0, pieces.length, Object.assign([letters], { index: 0 }) as never)
  for (const [i, { 0: piece, index }] of pieces.entries()) {
    const [isFirst, isLast] = [i === 0, i === pieces.length - 1]
    const folded = cut(fold(piece))
    const spelling = cut(isFirst && isLast ? letters.toLowerCase() : fold(letters) + sign)
    terms.push({
      word: isLast ? folded + sign : folded,
      start: start + index,
      end: isLast ? end : start + index + piece.length,
      ...(isFirst && spelling !== folded && { spelling: { word: spelling, end } }),
      ...(isLast && sign && { unsigned: folded }),
    })
  }
}

const cut = (word: string) =>
  (word.length > MAX_WORD_CHARACTERS ? word.slice(0, MAX_WORD_CHARACTERS) : word).toWellFormed()

const onlyLetters = (text: string) => text.replace(isAscii(text) ? /[^A-Za-z0-9]+/g : /[^\p{L}\p{N}\p{M}]+/gu, '')

/** Accents of European scripts, points of Hebrew and marks of Arabic. In other scripts a mark makes another letter. */
const ACCENTS = /[\u0300-\u036F\u0591-\u05BD\u05BF\u05C1\u05C2\u05C4\u05C5\u05C7\u0610-\u061A\u064B-\u065F\u0670]/g
/** Letters that are not made of another and an accent. */
const PLAIN_LETTERS: Readonly<Record<string, string>> = { ø: 'o', ł: 'l', đ: 'd', ð: 'd', þ: 'th', æ: 'ae', œ: 'oe' }

/** A word without case, accents and ligatures. */
function fold(word: string): string {
  if (isAscii(word)) return word.toLowerCase()
  // By upper case, where "ß" is "SS". "й" is a letter of its own.
  const decomposed = word
    .normalize('NFKC')
    .toUpperCase()
    .toLowerCase()
    .normalize('NFKD')
    .replace(/и\u0306/g, 'й')
  const plain = decomposed.replace(ACCENTS, '').replace(/[øłđðþæœ]/g, (letter) => PLAIN_LETTERS[letter]!)
  // Some letters of old encodings are an accent by itself.
  return onlyLetters(plain.normalize('NFC')) || word
}
