import { isUtf8 } from 'node:buffer'
import { posix } from 'node:path'
import { slug as slugify } from 'github-slugger'
import type { Heading, Root } from 'mdast'
import { markdownToMdast } from 'satteri'
import { type Chunk, splitIntoChunks } from './chunks.ts'
import { readFrontMatter } from './front-matter.ts'
import { extractLinks, type Link } from './links.ts'
import { headingText } from './mdast.ts'
import { QuarantineError } from './quarantine-error.ts'

/** What becomes of a Markdown file. */
export interface Page {
  readonly slug: string
  readonly title: string
  /** An object of JSON, whose numbers may have more digits than ours can. */
  readonly frontmatter: string
  /** The text without its front matter. */
  readonly content: string
  readonly chunks: readonly Chunk[]
  readonly links: readonly Link[]
}

/** Parses one file, from its arguments alone. @throws {QuarantineError} where a person must fix the file. */
export function parsePage(path: string, bytes: Buffer): Page {
  if (!isUtf8(bytes)) throw new QuarantineError('bad_utf8', 'the text is not UTF-8: save the file with that encoding')
  const nul = bytes.indexOf(0)
  if (nul >= 0) throw new QuarantineError('nul', `there is a NUL character at byte ${nul}: is this a text file?`)
  // By the specification of Git LFS: below 1,024 bytes, and this is the first line.
  if (bytes.length < 1_024 && bytes.toString('latin1', 0, 43) === 'version https://git-lfs.github.com/spec/v1\n') {
    const why = 'the repository holds only a Git LFS pointer for it, not its text: keep Markdown files out of LFS'
    throw new QuarantineError('lfs_pointer', why)
  }
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '')
  const { json, title, bodyStart } = readFrontMatter(text)
  const content = text.slice(bodyStart)
  const root = markdownToMdast(content, { features: { frontmatter: false, wikilinks: true, gfm: true } }) as Root
  const first = root.children.find((node): node is Heading => node.type === 'heading' && node.depth === 1)
  return {
    slug: pathSlug(path),
    title: headingText(title) || (first && headingText(first)) || fileName(path),
    frontmatter: json,
    content,
    chunks: splitIntoChunks(root, content),
    links: extractLinks(root, content, path),
  }
}

const fileName = (path: string) => posix.basename(path).replace(/\.[^.]+$/, '')

/** The path as it would stand in an address: `Guide/Émile & co.md` is `guide/émile--co`. Need not be unique. */
function pathSlug(path: string): string {
  const parts = path.replace(/\.[^./]+$/, '').split('/')
  return parts.map((part) => slugify(part) || '-').join('/')
}
