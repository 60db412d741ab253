import { posix } from 'node:path'
import type { Link } from './links.ts'

/**
 * The path in the same repository that a link names: relative to the page, or to the root with a leading slash,
 * without anchor and query, percent-decoded. Null for other addresses, bare anchors, wiki names (which name a page
 * and not a path) and paths that lead out of the repository.
 */
export function targetPath(target: string, kind: Link['kind'], from: string): string | null {
  if (kind === 'wiki' || /^([a-z][a-z0-9+.-]*:|\/\/|#|\?|$)/i.test(target)) return null
  const bare = decode(target.replace(/[?#].*$/s, ''))
  if (bare.includes('\0')) return null
  const joined = bare.startsWith('/') ? bare.slice(1) : posix.join(posix.dirname(from), bare)
  const path = posix.normalize(joined)
  return path === '.' || path === '..' || path.startsWith('../') || path.startsWith('/')
    ? null
    : path.replace(/\/$/, '')
}

/** The name that a wiki link means: `[[Guide/First Steps#install]]` is `first steps`; null for a bare anchor. */
export function targetName(target: string): string | null {
  const path = target.replace(/[#|].*$/s, '').trim()
  const name = path.slice(path.lastIndexOf('/') + 1).replace(/\.(md|markdown)$/i, '')
  return name.includes('\0') || name === '' ? null : name.toLowerCase()
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
