import { posix } from 'node:path'
import { scalarText } from './front-matter.ts'
import { linkKey } from './link-key.ts'

/** Properties that Logseq writes in the first lines of a page: `alias:: One, Two`. */
export type Properties = ReadonlyMap<string, string>

const PROPERTY = /^\s*(?:-\s+)?([\w-]+)::[ \t]*(.*)$/

const NONE: Properties = new Map()

/** The properties above the text of a page. */
export function readProperties(content: string): Properties {
  if (!/^\s*(?:-\s+)?[\w-]{1,100}::/.test(content)) return NONE
  const properties = new Map<string, string>()
  for (const [line] of content.matchAll(/.*(?:\r?\n|$)/g)) {
    const [, name, value] = PROPERTY.exec(line.trimEnd()) ?? []
    if (name === undefined || value === undefined) break
    properties.set(name.toLowerCase(), value)
  }
  return properties
}

const fileName = (path: string) => posix.basename(path).replace(/\.[^.]+$/, '')

/** Logseq keeps the name of a page in that of its file: `a___b` or `a%2Fb` is `a/b`. */
export function pageName(path: string): string {
  const name = fileName(path)
  if (!/___|%[0-9a-f]{2}/i.test(name)) return name
  try {
    return decodeURIComponent(name).replaceAll('___', '/')
  } catch {
    return name.replaceAll('___', '/')
  }
}

/**
 * The keys of what a page is called beside its path: `aliases` and `id` (Obsidian, Hugo), `slug`, `permalink`, `url` and
 * `path` as its address in a site (Docusaurus, Hugo, Jekyll, Zola), Logseq's properties, names in file names and
 * journals, and Docusaurus' way to leave out the numbers that order files.
 */
export function readAliases(
  path: string,
  frontMatter: Readonly<Record<string, unknown>>,
  properties: Properties,
): string[] {
  // Most pages have no other name.
  const hasNames = properties.size > 0 || KEYS.some((key) => key in frontMatter)
  if (!hasNames && !NAMED_BY_FILE.test(path)) return []
  const folder = posix.dirname(path)
  const names = [
    ...NAME_KEYS.flatMap((key) => asNames(frontMatter[key])),
    ...['alias', 'title'].flatMap((name) => asNames(properties.get(name))),
    ...ADDRESS_KEYS.flatMap((key) => {
      const address = scalarText(frontMatter[key])?.trim()
      if (!address) return []
      return address.startsWith('/') ? [address] : [address, posix.join(folder, address)]
    }),
  ]
  const name = pageName(path)
  if (fileName(path) !== name) names.push(name)
  const journal = /(?:^|\/)journals\/(\d{4})[_-](\d\d)[_-](\d\d)\.\w+$/.exec(path)
  if (journal) names.push(journalName(...(journal.slice(1).map(Number) as [number, number, number])))
  const unnumbered = path.replaceAll(/(^|\/)\d+\s*[-_.]+\s*(?=[^-_.\s\d/][^/]*)/g, '$1')
  if (unnumbered !== path) names.push(unnumbered)
  const own = linkKey(path)
  const keys = names.filter((name) => !name.includes('\0')).map((name) => linkKey(name.toWellFormed()))
  return [...new Set(keys)].filter((key) => key !== null && key !== '' && key !== own) as string[]
}

const NAME_KEYS = ['aliases', 'alias']
const ADDRESS_KEYS = ['slug', 'permalink', 'url', 'path', 'id']
const KEYS = [...NAME_KEYS, ...ADDRESS_KEYS]
const NAMED_BY_FILE = /___|%[0-9a-f]{2}|(?:^|\/)\d/i

/** A list, or one line of names with commas between them, as they are or in double brackets. */
function asNames(value: unknown): string[] {
  const names = (Array.isArray(value) ? value : [value]).map(scalarText).filter((name) => name !== null)
  const all = Array.isArray(value) ? names : names.flatMap((name) => [name, ...name.split(',')])
  return all.map((name) => name.trim().replace(/^\[\[(.*)\]\]$/, '$1'))
}

/** As Logseq writes a date where nobody has set another form: `Nov 26th, 2025`. */
function journalName(year: number, month: number, day: number): string {
  const monthName = new Date(Date.UTC(year, month - 1, day)).toLocaleString('en', { month: 'short', timeZone: 'UTC' })
  const ending = day > 10 && day < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][day % 10] ?? 'th')
  return `${monthName} ${day}${ending}, ${year}`
}
