import { parse as parseToml } from 'smol-toml'
import { parseDocument, visit } from 'yaml'
import { QuarantineError } from './quarantine-error.ts'

const MAX_CHARACTERS = 64 * 1024

/** What stands above the text of a page, and where that begins. */
export interface FrontMatter {
  /** An object, as jsonb is to hold it. */
  readonly json: string
  /** A scalar named `title`, as text: of `title: 2024` too. */
  readonly title: string
  readonly values: Readonly<Record<string, unknown>>
  readonly bodyStart: number
}

const NONE: FrontMatter = { json: '{}', title: '', values: {}, bodyStart: 0 }
const FENCED = /^(---|\+\+\+)[ \t]*\r?\n(?:([\s\S]*?)\r?\n)??\1[ \t]*(?:\r?\n|$)/
/** What is between two rules of hyphens is text where its first line names nothing. */
const NAMED = /^(\s|#.*)*["'\w.-]+\s*[:=]/

/** Reads YAML between `---`, TOML between `+++`, or an object of JSON: Hugo has all three. @throws {QuarantineError} */
export function readFrontMatter(text: string): FrontMatter {
  if (text.startsWith('{')) return readJson(text)
  const [block = '', fence, source = ''] = FENCED.exec(text) ?? []
  if (fence === undefined) return NONE
  const language = fence === '---' ? 'YAML' : 'TOML'
  try {
    if (source.length > MAX_CHARACTERS) {
      throw new Error(`it has ${source.length} characters, ${MAX_CHARACTERS} are allowed`)
    }
    const value = fence === '---' ? parseYaml(source) : parseToml(source, { integersAsBigInt: true })
    return isObject(value) ? { ...toJson(value), bodyStart: block.length } : NONE
  } catch (error) {
    if (!NAMED.test(source)) return NONE
    const firstLine = String((error as Error).message).replace(/:?(\n.*)?$/s, '')
    const why = `the front matter is not ${language} that can be stored: ${firstLine}`
    throw new QuarantineError('bad_front_matter', why, error)
  }
}

/** The object that a file begins with, up to a line that ends with its brace; a template's `{{` or `{%` begins none. */
function readJson(text: string): FrontMatter {
  for (const { 0: brace, index } of text.slice(0, MAX_CHARACTERS).matchAll(/\}[ \t]*(?:\r?\n|$)/g)) {
    try {
      const value = JSON.parse(text.slice(0, index + 1), (_, value, context?: { source: string }) =>
        typeof value === 'number' ? exactNumber(value, context?.source) : value,
      )
      return { ...toJson(value), bodyStart: index + brace.length }
    } catch {
      // Not all of it yet, or no JSON.
    }
  }
  return NONE
}

/** YAML 1.2 with the merge keys of 1.1, as Jekyll, Hugo and Obsidian have them. */
function parseYaml(source: string): unknown {
  const document = parseDocument(source, { merge: true, logLevel: 'error' })
  if (document.errors[0]) throw document.errors[0]
  visit(document, {
    Scalar(key, scalar) {
      const { value, source } = scalar
      if (typeof value === 'number') scalar.value = key === 'key' ? source : exactNumber(value, source)
    },
  })
  return document.toJS({ maxAliasCount: 100 }) ?? {}
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

// Since V8 11.4 (Node 21): text that JSON.stringify takes over as it is.
const { rawJSON, isRawJSON } = JSON as unknown as {
  rawJSON(text: string): { readonly rawJSON: string }
  isRawJSON(value: unknown): value is { readonly rawJSON: string }
}

/** A number with all its digits, which jsonb keeps; the text as it is written where a number does not hold it. */
function exactNumber(value: number, source = String(value)): unknown {
  if (!Number.isFinite(value)) return source
  if (/^-?(0|[1-9]\d*)(\.\d+)?$/.test(source)) return rawJSON(source)
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? source : value
}

/** @throws where jsonb cannot hold it. */
function toJson(value: Record<string, unknown>): Omit<FrontMatter, 'bodyStart'> {
  return { json: JSON.stringify(value, toStorable), title: scalarText(value.title) ?? '', values: value }
}

/** A scalar as text, with all digits of a number; null for anything else. */
export function scalarText(value: unknown): string | null {
  const scalar = isRawJSON(value) ? value.rawJSON : value
  return ['string', 'number', 'bigint', 'boolean'].includes(typeof scalar) ? String(scalar) : null
}

function toStorable(key: string, value: unknown): unknown {
  for (const text of [key, value]) {
    if (typeof text !== 'string') continue
    if (text.includes('\0')) throw new Error('it holds a NUL character')
    if (!text.isWellFormed()) throw new Error('it holds half of a character')
  }
  if (typeof value === 'bigint') return rawJSON(String(value))
  if (typeof value === 'number') return exactNumber(value)
  if (value instanceof Set) return [...value]
  return value instanceof Map ? Object.fromEntries(value) : value
}
