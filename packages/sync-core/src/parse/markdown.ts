import type { Nodes, Root } from 'mdast'
import { type Features, markdownToMdast, mdxToMdast } from 'satteri'
import { walk } from './mdast.ts'

const FEATURES: Features = { frontmatter: false, wikilinks: true, gfm: true }

/** More than pieces of code in a text may have. */
const MAX_UNCLOSED_BRACES = 30

export interface ParsedText {
  readonly root: Root
  /** The text for people: as it is written, but with spaces for what MDX has beside Markdown. */
  readonly words: string
}

export const isMdx = (path: string) => /\.mdx$/i.test(path)

/** Parses the text of a page. MDX that is none, as most sites' tools forgive some of it, is parsed as Markdown. */
export function parseText(path: string, content: string): ParsedText {
  const features = { features: FEATURES }
  if (!isMdx(path)) return { root: markdownToMdast(content, features) as Root, words: content }
  try {
    // For each brace without an end the parser looks for it to the end of the text.
    if (content.split('{').length - content.split('}').length > MAX_UNCLOSED_BRACES) throw new Error('this is no MDX')
    const root = mdxToMdast(forgiven(content), features) as Root
    return { root, words: blank(content, mdxRanges(root)) }
  } catch {
    const imports = [...content.matchAll(/^(?:import|export)\s.*(?:\r?\n.+)*/gm)]
    const words = blank(
      content,
      imports.map(({ 0: text, index }) => [index, index + text.length]),
    )
    return { root: markdownToMdast(words, features) as Root, words }
  }
}

/** As Docusaurus reads MDX: `{#id}` of headings and HTML comments are none of its expressions. Offsets stay. */
function forgiven(content: string): string {
  const comments: Range[] = []
  // By hand: an expression would look for the end anew at each beginning, which costs the square of their number.
  for (let from = content.indexOf('<!--'); from >= 0; from = content.indexOf('<!--', comments.at(-1)![1])) {
    const end = content.indexOf('-->', from + 4)
    if (end < 0) break
    comments.push([from, end + 3])
  }
  return blank(content, comments).replaceAll(HEADING_ID, (line, heading: string) => heading.padEnd(line.length))
}

const HEADING_ID = /^(#{1,6} [^\n{]*(?:\{(?!#)[^\n{]*)*)\{#[^{}\n]*\}[ \t]*$/gm

type Range = readonly [from: number, to: number]

/** Imports, exports, expressions, and tags without what is between them. */
function* mdxRanges(root: Root): Generator<Range> {
  for (const node of walk(root)) {
    if (!node.type.startsWith('mdx')) continue
    const [from, to] = rangeOf(node)
    const children = 'children' in node ? node.children.map(rangeOf) : []
    yield [from, children[0]?.[0] ?? to]
    yield [children.at(-1)?.[1] ?? to, to]
  }
}

const rangeOf = ({ position }: Nodes): Range => [position!.start.offset!, position!.end.offset!]

/** With spaces there, and lines as they were. */
function blank(text: string, ranges: Iterable<Range>): string {
  let blanked = ''
  let at = 0
  for (const [from, to] of [...ranges].sort(([a], [b]) => a - b)) {
    if (to <= at) continue
    blanked += text.slice(at, Math.max(at, from)) + text.slice(Math.max(at, from), to).replaceAll(/[^\r\n]/g, ' ')
    at = to
  }
  return blanked + text.slice(at)
}
