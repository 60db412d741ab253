import { posix } from 'node:path'
import type { Root } from 'mdast'
import { walk } from './mdast.ts'

/** What an index of Postgres is sure to hold beside the source's id: a key may have 2,704 bytes. No page has a longer path. */
export const MAX_PATH_BYTES = 2_000

/** What a page points to, in the order of its text. */
export interface Link {
  readonly kind: 'link' | 'image' | 'wiki'
  /** As it is written. */
  readonly target: string
  /** A path in the same repository, there or not; null for everything else. */
  readonly targetPath: string | null
  /** Of a wiki link: its page's name without folders, in lower case. */
  readonly targetName: string | null
}

/** The links, images and wiki links of a page; `[text][name]` counts with the address that `name` is defined as. */
export function extractLinks(root: Root, text: string, path: string): Link[] {
  const definitions = new Map<string, string>()
  for (const node of walk(root)) {
    if (node.type === 'definition' && !definitions.has(node.identifier)) definitions.set(node.identifier, node.url)
  }
  const links: Link[] = []
  const add = (kind: Link['kind'], url: string | undefined) => {
    if (url === undefined) return
    const target = url.toWellFormed()
    if (kind === 'wiki') links.push({ kind, target, targetPath: null, targetName: wikiPageName(target) })
    else links.push({ kind, target, targetPath: resolveLinkPath(target, path), targetName: null })
  }
  for (const node of walk(root)) {
    if (node.type === 'link') add(text.startsWith('[[', node.position!.start.offset) ? 'wiki' : 'link', node.url)
    else if (node.type === 'image')
      add(text.startsWith('![[', node.position!.start.offset) ? 'wiki' : 'image', node.url)
    else if (node.type === 'linkReference') add('link', definitions.get(node.identifier))
    else if (node.type === 'imageReference') add('image', definitions.get(node.identifier))
  }
  return links
}

/**
 * The path in the same repository that a link names: relative to the page, or to the root with a leading slash, without
 * anchor and query, percent-decoded. Null for other addresses, bare anchors and paths that lead out of the repository.
 */
function resolveLinkPath(target: string, from: string): string | null {
  if (/^([a-z][a-z0-9+.-]*:|\/\/|#|\?|$)/i.test(target)) return null
  const bare = decode(target.replace(/[?#].*$/s, ''))
  if (bare.includes('\0')) return null
  const joined = bare.startsWith('/') ? bare.slice(1) : posix.join(posix.dirname(from), bare)
  const path = posix.normalize(joined)
  const outside = path === '.' || path === '..' || path.startsWith('../') || path.startsWith('/')
  return outside || isTooLong(path) ? null : path.replace(/\/$/, '')
}

/** The name that a wiki link means: `[[Guide/First Steps#install]]` is `first steps`; null for a bare anchor. */
function wikiPageName(target: string): string | null {
  const path = target.replace(/[#|].*$/s, '').trim()
  const name = path.slice(path.lastIndexOf('/') + 1).replace(/\.(md|markdown)$/i, '')
  return name.includes('\0') || name === '' || isTooLong(name) ? null : name.toLowerCase()
}

/** No page has such a path: it is a drawing in an address, or a matrix in double brackets. */
const isTooLong = (path: string) => Buffer.byteLength(path.toLowerCase()) > MAX_PATH_BYTES

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
