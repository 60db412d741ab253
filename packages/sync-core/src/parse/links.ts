import { posix } from 'node:path'
import type { Nodes, Root } from 'mdast'
import { FOLDER_PAGE, linkKey, MAX_PATH_BYTES, PAGE_EXTENSION } from './link-key.ts'
import { plainText, walk } from './mdast.ts'

/** What a page points to, in the order of its text. */
export interface Link {
  readonly kind: 'link' | 'image' | 'wiki'
  /** As it is written, but for the `|` and what follows it in a wiki link. */
  readonly target: string
  /** What a reader sees of it, where that is not the target. */
  readonly text?: string | undefined
  /** A path in the same repository, there or not, "." for its root; of other addresses and names in wiki links none. */
  readonly targetPath?: string | undefined
  /** What it says after `#`, decoded; of other servers' addresses nothing. */
  readonly targetAnchor?: string | undefined
  /** The key of its page, see {@link linkKey}; of a wiki link that names no folder, of any page of that name. */
  readonly targetKey?: string | undefined
  /** What it means where no page has that key, see {@link otherPath}. */
  readonly targetOtherKey?: string | undefined
}

/** The links, images and wiki links of a page; `[text][name]` counts with the address that `name` is defined as. */
export function extractLinks(root: Root, content: string, path: string): Link[] {
  const definitions = new Map<string, string>()
  for (const node of walk(root)) {
    if (node.type === 'definition' && !definitions.has(node.identifier)) definitions.set(node.identifier, node.url)
  }
  const links: Link[] = []
  const add = (kind: Link['kind'], node: Nodes, url: string | undefined) => {
    if (url === undefined) return
    // In a table the `|` before the text has a backslash; around an address, [[…]] is Logseq's.
    const wiki = kind === 'wiki' ? url.replace(/\\$/, '') : /^\[\[([^[\]]+)\]\]$/s.exec(url)?.[1]
    const target = (wiki ?? url).toWellFormed()
    const text = linkText(node)
    const place = wiki === undefined ? resolveAddress(target, path) : resolveWikiName(target, path)
    links.push({ kind: wiki === undefined ? kind : 'wiki', target, text: text === target ? undefined : text, ...place })
  }
  const isWiki = (node: Nodes, opening: string) => content.startsWith(opening, node.position!.start.offset)
  for (const node of walk(root)) {
    if (node.type === 'link') add(isWiki(node, '[[') ? 'wiki' : 'link', node, node.url)
    else if (node.type === 'image') add(isWiki(node, '![[') ? 'wiki' : 'image', node, node.url)
    else if (node.type === 'linkReference') add('link', node, definitions.get(node.identifier))
    else if (node.type === 'imageReference') add('image', node, definitions.get(node.identifier))
  }
  return links
}

/** More is nobody's name for a page: a paragraph in brackets. */
const MAX_TEXT_CHARACTERS = 500

function linkText(node: Nodes): string | undefined {
  const text = plainText(node).trim().slice(0, MAX_TEXT_CHARACTERS).toWellFormed().replaceAll('\0', '')
  return text === '' ? undefined : text
}

type Place = Pick<Link, 'targetPath' | 'targetAnchor' | 'targetKey' | 'targetOtherKey'>

const NOWHERE: Place = {}

/**
 * The path that an address names: relative to the page or, with a leading slash, `@/` (Zola) or `@site/` (Docusaurus), to
 * the root, without anchor and query, percent-decoded. None for other servers, and where it leads out of the repository.
 */
function resolveAddress(target: string, from: string): Place {
  if (/^\s*([a-z][a-z0-9+.-]*:|\/\/)/i.test(target)) return NOWHERE
  const address = target.trim().replace(/^@(site)?\//, '/')
  const [, written = '', anchor = ''] = /^([^?#]*)(?:\?[^#]*)?(?:#(.*))?$/s.exec(address)!
  const targetAnchor = storable(decode(anchor))
  const bare = decode(written)
  if (bare === '') return { targetAnchor }
  const targetPath = joinPath(bare.startsWith('/') ? '.' : posix.dirname(from), bare)
  return { targetPath, targetAnchor, targetKey: keyOf(targetPath), targetOtherKey: keyOf(otherPath(bare, from)) }
}

/**
 * What an address means in the built site, where that is not what it means beside the file: from a page that is a folder
 * there (Hugo, Astro, Zola); in English, for a language that lacks the page (Starlight); in another book (mdBook).
 */
function otherPath(address: string, from: string): string | undefined {
  if (address.startsWith('/')) {
    const [, rest] = /^\/[a-z]{2}(?:-[a-z]{2,4})?(\/.+)$/i.exec(address) ?? []
    return rest === undefined ? undefined : joinPath('en', rest)
  }
  if (/\.html?$/i.test(address)) return joinPath('.', address.replace(/^(\.\.?\/)+/, ''))
  const page = from.replace(/\.[^./]+$/, '')
  return /\.\w+$/.test(address) || FOLDER_PAGE.test(posix.basename(page)) ? undefined : joinPath(page, address)
}

/** A wiki link names a page by as much of its path as it likes, unless it begins with a slash or dots. */
function resolveWikiName(target: string, from: string): Place {
  if (/^([a-z][a-z0-9+.-]*:)?\/\//i.test(target)) return NOWHERE
  const [, written = '', anchor = ''] = /^([^#]*)(?:#(.*))?$/s.exec(target)!
  const targetAnchor = storable(anchor)
  const name = storable(written)
  if (name === undefined) return { targetAnchor }
  const isPath = /^(\/|\.\.?(\/|$))/.test(name) || FOLDER_PAGE.test(name.replace(PAGE_EXTENSION, ''))
  const targetPath = isPath ? joinPath(name.startsWith('/') ? '.' : posix.dirname(from), name) : undefined
  return { targetPath, targetAnchor, targetKey: keyOf(isPath ? targetPath : name) }
}

/** Nothing where it leads out of the repository, or has more bytes than a path: a drawing in an address, a matrix in brackets. */
function joinPath(folder: string, path: string): string | undefined {
  const joined = posix.join(folder, path).replace(/(?<=.)\/$/, '')
  const outside = joined === '..' || joined.startsWith('../') || joined.includes('\0')
  return outside || Buffer.byteLength(joined) > MAX_PATH_BYTES ? undefined : joined.replace(/^\/+/, '') || '.'
}

const keyOf = (path: string | undefined) => (path === undefined ? undefined : (linkKey(path) ?? undefined))

function storable(text: string): string | undefined {
  const trimmed = text.trim()
  return trimmed === '' || trimmed.includes('\0') || trimmed.length > MAX_PATH_BYTES
    ? undefined
    : trimmed.toWellFormed()
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
