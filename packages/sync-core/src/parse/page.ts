import { isUtf8 } from 'node:buffer'
import { slug as slugify } from 'github-slugger'
import type { Heading } from 'mdast'
import { pageName, readAliases, readProperties } from './aliases.ts'
import { type Chunk, splitIntoChunks } from './chunks.ts'
import { readFrontMatter } from './front-matter.ts'
import { linkKey } from './link-key.ts'
import { extractLinks, type Link } from './links.ts'
import { parseText } from './markdown.ts'
import { headingText } from './mdast.ts'
import { QuarantineError } from './quarantine-error.ts'
import { rememberLast } from './remember-last.ts'

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
  /** What links find it by, see {@link linkKey}. */
  readonly linkKey: string | null
  /** Keys of other names that it has. */
  readonly aliases: readonly string[]
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
  const { json, title, values, bodyStart } = readFrontMatter(text)
  const content = text.slice(bodyStart)
  const { root, words } = parseText(path, content)
  const first = root.children.find((node): node is Heading => node.type === 'heading' && node.depth === 1)
  const properties = readProperties(content)
  const named = headingText(title) || headingText(properties.get('title') ?? '')
  return {
    slug: pathSlug(path),
    title: named || (first && headingText(first)) || headingText(pageName(path)),
    frontmatter: json,
    content,
    chunks: splitIntoChunks(root, words),
    links: extractLinks(root, content, path),
    linkKey: linkKey(path),
    aliases: readAliases(path, values, properties),
  }
}

/** The path as it would stand in an address: `Guide/Émile & co.md` is `guide/émile--co`. Need not be unique. */
function pathSlug(path: string): string {
  const slash = path.lastIndexOf('/') + 1
  const name = slugify(path.slice(slash).replace(/\.[^.]+$/, '')) || '-'
  return slash === 0 ? name : `${folderSlug(path.slice(0, slash - 1))}/${name}`
}

const folderSlug = rememberLast((folder) =>
  folder
    .split('/')
    .map((part) => slugify(part) || '-')
    .join('/'),
)
