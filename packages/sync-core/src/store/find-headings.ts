import GithubSlugger, { slug } from 'github-slugger'

/** A heading of a page. */
export interface PageHeading {
  /** As GitHub makes it: the second `Example` of a page is `example-1`. */
  readonly anchor: string
  /** Outermost first. */
  readonly headingPath: readonly string[]
  /** Of the chunk that begins with it. */
  readonly index: number
}

/**
 * The headings of a page, from its chunks in their order, of which each heading begins one. A chunk may also go on with
 * a section that was too long for one: then it stands under the same headings, and does not begin with the last of them.
 */
export function findHeadings(
  chunks: readonly { readonly headingPath: readonly string[]; readonly content: string }[],
): PageHeading[] {
  const slugger = new GithubSlugger()
  const headings: PageHeading[] = []
  for (const [index, { headingPath, content }] of chunks.entries()) {
    const title = headingPath.at(-1)
    const before = headings.at(-1)?.headingPath
    if (title === undefined || (before && isSame(before, headingPath) && !beginsWith(content, title))) continue
    headings.push({ anchor: slugger.slug(title), headingPath, index })
  }
  return headings
}

/** The anchor that a heading means, or an anchor: with its signs or without. */
export const anchorOf = (heading: string): string => slug(heading.replace(/^#+/, '').trim())

const isSame = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((each, i) => each === b[i])

const ATX = /^ {0,3}#{1,6}[ \t]+(.*)/
const SETEXT = /^(.+)\r?\n {0,3}(?:=+|-+)[ \t]*(?:\r?\n|$)/
/** Where a link goes, explicit ids, and signs after the text: no part of what is read. */
const UNREAD = /\]\([^)]*\)|\{[:#.][^{}]*\}[ \t]*$|[ \t]+#+[ \t]*$/g

/** A comment in the middle of a long script looks like a heading too, so it must be this one. */
function beginsWith(content: string, title: string): boolean {
  const [, line] = ATX.exec(content) ?? SETEXT.exec(content) ?? []
  return line !== undefined && slug(line.replace(UNREAD, '').trim()) === slug(title)
}
