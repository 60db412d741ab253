import { isUtf8 } from 'node:buffer'
import ignore from 'ignore'
import type { TreeEntry } from '../git/tree.ts'

/** A Markdown file that can be a page. */
export interface Candidate {
  readonly path: string
  readonly blobOid: string
}

/** A Markdown file that cannot be one because of its path. */
export interface RefusedPath extends Candidate {
  readonly code: 'path_not_utf8' | 'path_too_long'
  readonly message: string
}

/** What an index of Postgres is sure to hold beside the source's id: a key may have 2,704 bytes. */
const MAX_PATH_BYTES = 2_000

/** Which files of a repository are mirrored. */
export interface Selection {
  readonly subpath?: string | undefined
  readonly include?: readonly string[] | undefined
  readonly exclude?: readonly string[] | undefined
}

/** How many entries of a tree are no files of this repository although they may look like it. */
export interface PassedOver {
  readonly symlinks: number
  readonly submodules: number
}

/** Sorts the entries of a tree, and counts the Markdown symlinks and the submodules among them. */
export function candidatesOf({ subpath, include = [], exclude = [] }: Selection) {
  const prefix = subpath === undefined ? '' : `${subpath}/`
  const included = include.length > 0 ? ignore({ ignorecase: false }).add(include) : null
  const excluded = exclude.length > 0 ? ignore({ ignorecase: false }).add(exclude) : null
  const selected = (path: string) =>
    path.startsWith(prefix) && (included?.ignores(path) ?? true) && !(excluded?.ignores(path) ?? false)

  const passedOver = { symlinks: 0, submodules: 0 }
  return {
    passedOver: passedOver as PassedOver,
    /** A Markdown file that can be a page, one that cannot, or null for everything else. */
    of({ mode, path, blobOid }: TreeEntry): Candidate | RefusedPath | null {
      if (mode === SUBMODULE && typeof path === 'string' && selected(path)) passedOver.submodules++
      if (mode === SUBMODULE || !MARKDOWN.test(typeof path === 'string' ? path : path.toString('latin1'))) return null
      if (typeof path !== 'string') return mode === SYMLINK ? null : notUtf8(path, blobOid)
      if (!selected(path)) return null
      if (mode === SYMLINK) {
        passedOver.symlinks++
        return null
      }
      const length = path.length * 3 > MAX_PATH_BYTES ? Buffer.byteLength(path) : 0
      if (length <= MAX_PATH_BYTES) return { path, blobOid }
      const message = `the path has ${length} bytes, at most ${MAX_PATH_BYTES} can be indexed: shorten it`
      return { path, blobOid, code: 'path_too_long', message }
    },
  }
}

const MARKDOWN = /\.(md|markdown)$/i
// The modes that a tree entry can have beside those of files.
const SYMLINK = '120000'
const SUBMODULE = '160000'

function notUtf8(bytes: Buffer, blobOid: string): RefusedPath {
  // Quoted as git shows such a path, so that it can be found; no UTF-8 path has a backslash and three digits there.
  let path = ''
  for (let i = 0; i < bytes.length; ) {
    const length = [1, 2, 3, 4].find((n) => isUtf8(bytes.subarray(i, i + n)) && i + n <= bytes.length)
    path += length ? bytes.toString('utf8', i, i + length) : `\\${bytes[i]!.toString(8).padStart(3, '0')}`
    i += length ?? 1
  }
  return { path, blobOid, code: 'path_not_utf8', message: 'the name of the file is not UTF-8: rename it' }
}
