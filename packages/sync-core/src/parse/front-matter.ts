import type { Root } from 'mdast'
import { parse } from 'yaml'
import { QuarantineError } from './quarantine-error.ts'

const MAX_CHARACTERS = 64 * 1024

/**
 * The YAML front matter of a page and where its text begins.
 *
 * TOML front matter (`+++`) is left out of the text and not read.
 *
 * @throws {QuarantineError} `bad_front_matter`
 */
export function readFrontMatter(root: Root, text: string): { frontmatter: Record<string, unknown>; bodyStart: number } {
  const first = root.children[0]
  if (first?.type !== 'yaml' && first?.type !== 'toml') return { frontmatter: {}, bodyStart: 0 }
  const end = first.position!.end.offset!
  const bodyStart = /^\r?\n/.exec(text.slice(end, end + 2))?.[0].length ?? 0
  const frontmatter = first.type === 'yaml' ? parseYaml(first.value) : {}
  return { frontmatter, bodyStart: end + bodyStart }
}

function parseYaml(source: string): Record<string, unknown> {
  if (source.length > MAX_CHARACTERS) {
    throw new QuarantineError(
      'bad_front_matter',
      `the front matter has ${source.length} characters, ${MAX_CHARACTERS} are allowed`,
    )
  }
  let value: unknown
  try {
    // As JSON and back: dates and the like become what a jsonb column can hold.
    value = JSON.parse(
      JSON.stringify(parse(source, { maxAliasCount: 100, logLevel: 'error' }) ?? {}, refuseWhatJsonbCannotHold),
    )
  } catch (error) {
    throw new QuarantineError(
      'bad_front_matter',
      `the front matter is not YAML that can be stored: ${firstLine(error)}`,
      error,
    )
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new QuarantineError('bad_front_matter', 'the front matter is not a list of "name: value" lines')
  }
  return value as Record<string, unknown>
}

function refuseWhatJsonbCannotHold(key: string, value: unknown): unknown {
  for (const text of [key, value]) {
    if (typeof text !== 'string') continue
    if (text.includes('\0')) throw new Error('it holds a NUL character')
    if (!text.isWellFormed()) throw new Error('it holds half of a character')
  }
  return typeof value === 'bigint' ? value.toString() : value
}

function firstLine(error: unknown): string {
  return String((error as Error).message)
    .split('\n', 1)[0]!
    .replace(/:$/, '')
}
