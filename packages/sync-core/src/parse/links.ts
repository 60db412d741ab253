import { posix } from 'node:path'
import type { Nodes, Root } from 'mdast'
import { FOLDER_PAGE, linkKey, MAX_PATH_BYTES, PAGE_EXTENSION } from './link-key.ts'
import { plainText, walk } from './mdast.ts'

/** What a page points to, in the order of its text. */
export interface Link {
  readonly kind: 'link' | 'image' | 'wiki'
  /** As it is written, but for the `|` and what follows it in a wiki link. */
  readonly target: string
  /** What a reader sees of it; null where that is the target. */
  readonly text: string | null
  /** A path in the same repository, there or not, "." for its root; null for other addresses and names of wiki links. */
  readonly targetPath: string | null
  /** What it says after `#`, decoded; null for other servers' addresses and where it says nothing. */
  readonly targetAnchor: string | null
  /** The key of its page, see {@link linkKey}; of a wiki link that names no folder, of any page of that name. */
  readonly targetKey: string | null
  /** What it means where no page has that key, see {@link otherPath}. */
  readonly targetOtherKey: string | null
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
    links.push({ kind: wiki === undefined ? kind : 'wiki', target, text: text === target ? null : text, ...place })
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

function linkText(node: Nodes): string | null {
  const text = plainText(node).trim().slice(0, MAX_TEXT_CHARACTERS).toWellFormed().replaceAll('\0', '')
  return text === '' ? null : text
}

type Place = Pick<Link, 'targetPath' | 'targetAnchor' | 'targetKey' | 'targetOtherKey'>

const NOWHERE: Place = { targetPath: null, targetAnchor: null, targetKey: null, targetOtherKey: null }

/**
 * The path that an address names: relative to the page or, with a leading slash, `@/` (Zola) or `@site/` (Docusaurus), to
 * the root, without anchor and query, percent-decoded. None for other servers, and where it leads out of the repository.
 */
function resolveAddress(target: string, from: string): Place {
  const address = target.trim().replace(/^@(site)?\//, '/')
  if (/^([a-z][a-z0-9+.-]*:|\/\/)/i.test(address)) return NOWHERE
  const [, written = '', anchor = ''] = /^([^?#]*)(?:\?[^#]*)?(?:#(.*))?$/s.exec(address)!
  const targetAnchor = storable(decode(anchor))
  const bare = decode(written)
  if (bare === '') return { ...NOWHERE, targetAnchor }
  const targetPath = joinPath(bare.startsWith('/') ? '.' : posix.dirname(from), bare)
  return { targetPath, targetAnchor, targetKey: keyOf(targetPath), targetOtherKey: keyOf(otherPath(bare, from)) }
}

/**
 * What an address means in the built site, where that is not what it means beside the file: from a page that is a folder
 * there (Hugo, Astro, Zola); in English, for a language that lacks the page (Starlight); in another book (mdBook).
 */
function otherPath(address: string, from: string): string | null {
  if (address.startsWith('/')) {
    const [, rest] = /^\/[a-z]{2}(?:-[a-z]{2,4})?(\/.+)$/i.exec(address) ?? []
    return rest === undefined ? null : joinPath('en', rest)
  }
  if (/\.html?$/i.test(address)) return joinPath('.', address.replace(/^(\.\.?\/)+/, ''))
  const page = from.replace(/\.[^./]+$/, '')
  return /\.\w+$/.test(address) || FOLDER_PAGE.test(posix.basename(page)) ? null : joinPath(page, address)
}

/** A wiki link names a page by as much of its path as it likes, unless it begins with a slash or dots. */
function resolveWikiName(target: string, from: string): Place {
  if (/^([a-z][a-z0-9+.-]*:)?\/\//i.test(target)) return NOWHERE
  const [, written = '', anchor = ''] = /^([^#]*)(?:#(.*))?$/s.exec(target)!
  const targetAnchor = storable(anchor)
  const name = storable(written)
  if (name === null) return { ...NOWHERE, targetAnchor }
  const isPath = /^(\/|\.\.?(\/|$))/.test(name) || FOLDER_PAGE.test(name.replace(PAGE_EXTENSION, ''))
  const targetPath = isPath ? joinPath(name.startsWith('/') ? '.' : posix.dirname(from), name) : null
  return { targetPath, targetAnchor, targetKey: isPath ? keyOf(targetPath) : linkKey(name), targetOtherKey: null }
}

/** Null where it leads out of the repository, or has more bytes than a path: a drawing in an address, a matrix in brackets. */
function joinPath(folder: string, path: string): string | null {
  const joined = posix.join(folder, path).replace(/(?<=.)\/$/, '')
  const outside = joined === '..' || joined.startsWith('../') || joined.includes('\0')
  return outside || Buffer.byteLength(joined) > MAX_PATH_BYTES ? null : joined.replace(/^\/+/, '') || '.'
}

const keyOf = (path: string | null) => (path === null ? null : linkKey(path))

function storable(text: string): string | null {
  const trimmed = text.trim()
  return trimmed === '' || trimmed.includes('\0') || trimmed.length > MAX_PATH_BYTES ? null : trimmed.toWellFormed()
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
