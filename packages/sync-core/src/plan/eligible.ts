import { isUtf8 } from 'node:buffer'
import ignore from 'ignore'
import type { TreeEntry } from '../git/tree.ts'
import { MAX_PATH_BYTES } from '../parse/link-key.ts'
import { QuarantineError } from '../parse/quarantine-error.ts'

/** A Markdown file that may be a page. */
export interface EligibleFile {
  readonly path: string
  readonly blobOid: string
}

/** A Markdown file that cannot be one because of its path. */
export interface RejectedPath extends EligibleFile {
  readonly code: 'path_not_utf8' | 'path_too_long'
  readonly message: string
}

/** Larger files are quarantined: no one writes such a page by hand, and a page is one row and one statement. */
export const MAX_PAGE_BYTES = 4 * 1024 * 1024

/** Which files of a repository are mirrored. */
export interface Selection {
  readonly subpath?: string | undefined
  readonly include?: readonly string[] | undefined
  readonly exclude?: readonly string[] | undefined
  readonly extensions?: readonly string[] | undefined
}

/** How many entries of a tree are no files of this repository although they may look like it. */
export interface SkippedEntries {
  readonly symlinks: number
  readonly submodules: number
}

/** Of Markdown, and of MDX: Markdown with components, as Docusaurus, Astro and VitePress have it. */
const EXTENSIONS = ['md', 'markdown', 'mdx']
/** The modes that a tree entry can have beside those of files. */
const SYMLINK = '120000'
const SUBMODULE = '160000'

/** Classifies the entries of a tree, and counts the Markdown symlinks and the submodules among them. */
export function fileFilter({ subpath, include = [], exclude = [], extensions = EXTENSIONS }: Selection) {
  const prefix = subpath === undefined ? '' : `${subpath}/`
  const included = include.length > 0 ? ignore({ ignorecase: false }).add(include) : null
  const excluded = exclude.length > 0 ? ignore({ ignorecase: false }).add(exclude) : null
  const endings = new RegExp(
    `\\.(${extensions.map((name) => name.replace(/^\./, '').replaceAll('.', '\\.')).join('|')})$`,
    'i',
  )
  const selected = (path: string) =>
    path.startsWith(prefix) && (included?.ignores(path) ?? true) && !(excluded?.ignores(path) ?? false)

  const skipped = { symlinks: 0, submodules: 0 }
  return {
    skipped: skipped as SkippedEntries,
    /** A Markdown file that may be a page, one that cannot, or null for everything else. */
    classify({ mode, path, blobOid }: TreeEntry): EligibleFile | RejectedPath | null {
      // Of bytes that are not UTF-8 what can be read: enough to say whether they lie where nobody looks.
      const name = String(path)
      if (mode === SUBMODULE && selected(name)) skipped.submodules++
      if (mode === SUBMODULE || !endings.test(name) || !selected(name)) return null
      if (mode === SYMLINK) {
        skipped.symlinks++
        return null
      }
      if (typeof path !== 'string') return notUtf8(path, blobOid)
      if (fitsIndex(path)) return { path, blobOid }
      const message = `the path has ${Buffer.byteLength(path)} bytes, at most ${MAX_PATH_BYTES} can be indexed: shorten it`
      return { path, blobOid, code: 'path_too_long', message }
    },
    /** Whether a file that is no page is known nevertheless, for the links to it. */
    isLinkable: (path: TreeEntry['path']): path is string =>
      typeof path === 'string' && path.startsWith(prefix) && fitsIndex(path),
  }
}

const fitsIndex = (path: string) => path.length * 3 <= MAX_PATH_BYTES || Buffer.byteLength(path) <= MAX_PATH_BYTES

function notUtf8(bytes: Buffer, blobOid: string): RejectedPath {
  // Quoted as git shows such a path, so that it can be found; no UTF-8 path has a backslash and three digits there.
  let path = ''
  for (let i = 0; i < bytes.length; ) {
    const length = [1, 2, 3, 4].find((n) => isUtf8(bytes.subarray(i, i + n)))
    path += length ? bytes.toString('utf8', i, i + length) : `\\${bytes[i]!.toString(8).padStart(3, '0')}`
    i += length ?? 1
  }
  return { path, blobOid, code: 'path_not_utf8', message: 'the name of the file is not UTF-8: rename it' }
}

/** The reason to quarantine a file of more than {@link MAX_PAGE_BYTES}. */
export function tooLarge(sizeBytes: number): QuarantineError {
  const megabytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MB`
  const limit = megabytes(MAX_PAGE_BYTES)
  return new QuarantineError('too_large', `the file has ${megabytes(sizeBytes)}, at most ${limit} can be a page`)
}
