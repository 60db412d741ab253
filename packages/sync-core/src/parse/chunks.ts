import type { Root } from 'mdast'
import { headingText } from './mdast.ts'

/** A part of a page under one heading, of a size that a model can embed. */
export interface Chunk {
  /** The headings that it stands under, outermost first. */
  readonly headingPath: readonly string[]
  /** Markdown, as it stands in the file. */
  readonly content: string
}

/** About 1,000 tokens of English: small enough for any embedding model, large enough to keep its context. */
const MAX_CHARACTERS = 4_000

/** Cuts a page at its headings, and long sections between blocks; only a block that is too long is cut inside. */
export function splitIntoChunks(root: Root, text: string): Chunk[] {
  const chunks: Chunk[] = []
  const headings: { depth: number; title: string }[] = []
  let start = -1
  let end = -1
  const close = () => {
    if (start < 0) return
    const headingPath = headings.map(({ title }) => title)
    for (const content of splitLong(text.slice(start, end))) chunks.push({ headingPath, content })
    start = -1
  }
  for (const node of root.children) {
    const [from, to] = [node.position!.start.offset!, node.position!.end.offset!]
    if (node.type === 'heading') {
      close()
      while (headings.length > 0 && headings.at(-1)!.depth >= node.depth) headings.pop()
      headings.push({ depth: node.depth, title: headingText(node) })
    } else if (start >= 0 && to - start > MAX_CHARACTERS) close()
    if (start < 0) start = from
    end = to
  }
  close()
  return chunks
}

/** Parts of a section that are no longer than a chunk may be. */
function* splitLong(section: string): Generator<string> {
  let rest = section.trim()
  while (rest.length > MAX_CHARACTERS) {
    const cut = cutBefore(rest, MAX_CHARACTERS)
    const part = rest.slice(0, cut).trim()
    if (part !== '') yield part
    rest = rest.slice(cut)
  }
  if (rest.trim() !== '') yield rest.trim()
}

/** The last line end, else the last space, else the limit, but never the middle of a surrogate pair. */
function cutBefore(text: string, limit: number): number {
  for (const mark of ['\n', ' ']) {
    const cut = text.lastIndexOf(mark, limit)
    if (cut > limit / 2) return cut
  }
  return /[\uD800-\uDBFF]/.test(text[limit - 1]!) ? limit - 1 : limit
}
