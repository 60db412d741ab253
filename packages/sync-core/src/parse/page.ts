import { isUtf8 } from 'node:buffer'
import { slug as slugify } from 'github-slugger'
import type { Heading, Root } from 'mdast'
import { markdownToMdast } from 'satteri'
import { type Chunk, chunksOf } from './chunks.ts'
import { readFrontMatter } from './front-matter.ts'
import { type Link, linksOf } from './links.ts'
import { plainText } from './mdast.ts'
import { QuarantineError } from './quarantine-error.ts'

/** What becomes of a Markdown file. */
export interface Page {
  readonly slug: string
  readonly title: string
  readonly frontmatter: Readonly<Record<string, unknown>>
  /** The text without its front matter. */
  readonly content: string
  readonly chunks: readonly Chunk[]
  readonly links: readonly Link[]
}

const BYTE_ORDER_MARK = '\uFEFF'

/**
 * Parses one file. Depends on nothing but its arguments.
 *
 * @throws {QuarantineError} with a reason for people, where Postgres could not hold the text or a person must fix it.
 */
export function parsePage(path: string, bytes: Buffer): Page {
  if (!isUtf8(bytes)) throw new QuarantineError('bad_utf8', 'the text is not UTF-8: save the file with that encoding')
  const nul = bytes.indexOf(0)
  if (nul >= 0) throw new QuarantineError('nul', `there is a NUL character at byte ${nul}: is this a text file?`)

  if (isLfsPointer(bytes)) {
    throw new QuarantineError(
      'lfs_pointer',
      'the repository holds only a Git LFS pointer for it, not its text: keep Markdown files out of LFS',
    )
  }
  const decoded = bytes.toString('utf8')
  const text = decoded.startsWith(BYTE_ORDER_MARK) ? decoded.slice(1) : decoded
  const root = markdownToMdast(text, { features: { frontmatter: true, wikilinks: true, gfm: true } }) as Root
  const { frontmatter, bodyStart } = readFrontMatter(root, text)
  const title = frontmatter.title
  const first = root.children.find((node): node is Heading => node.type === 'heading' && node.depth === 1)
  return {
    slug: pathSlug(path),
    title: (typeof title === 'string' && title.trim()) || (first && plainText(first).trim()) || fileName(path),
    frontmatter,
    content: text.slice(bodyStart),
    chunks: chunksOf(root, text),
    links: linksOf(root, text, path),
  }
}

/** By the specification of Git LFS: below 1,024 bytes, and this is the first line. */
function isLfsPointer(bytes: Buffer): boolean {
  return bytes.length < 1_024 && bytes.toString('latin1', 0, 43) === 'version https://git-lfs.github.com/spec/v1\n'
}

/** The file's name without folders and extension. */
function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/\.[^.]+$/, '')
}

/** The path as it would stand in an address: `Guide/Émile & co.md` is `guide/émile--co`. Need not be unique. */
function pathSlug(path: string): string {
  return path
    .replace(/\.[^./]+$/, '')
    .split('/')
    .map((part) => slugify(part) || '-')
    .join('/')
}
