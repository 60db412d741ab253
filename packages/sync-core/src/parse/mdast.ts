import type { Nodes } from 'mdast'

/** The nodes of a tree in the order of its text, by a stack of its own: Markdown may nest deeper than calls can. */
export function* walk(root: Nodes): Generator<Nodes> {
  const stack: Nodes[] = [root]
  for (let node = stack.pop(); node; node = stack.pop()) {
    yield node
    if ('children' in node) for (let i = node.children.length - 1; i >= 0; i--) stack.push(node.children[i]!)
  }
}

/** What a person reads of a heading; the whole of it stays in the content. */
const MAX_HEADING_CHARACTERS = 200
/** `{#explicit-id}` and the like after a heading, in the forms of VitePress, mdBook, Zola, Hugo and kramdown. */
const ATTRIBUTES = /\{:?\s*[#.][^{}]*\}$/

/** The words of a heading or a title, cut where there are more than anyone reads: a log above a line of hyphens. */
export function headingText(heading: Nodes | string): string {
  const whole = (typeof heading === 'string' ? heading : plainText(heading)).trim()
  const text = typeof heading === 'string' || !whole.endsWith('}') ? whole : whole.replace(ATTRIBUTES, '').trim()
  if (text.length <= MAX_HEADING_CHARACTERS) return text
  return `${text
    .slice(0, MAX_HEADING_CHARACTERS)
    .replace(/[\uD800-\uDBFF]$/, '')
    .trimEnd()}…`
}

/** The words of a node as a reader sees them, without mark-up. */
export function plainText(root: Nodes): string {
  let text = ''
  for (const node of walk(root)) {
    if (node.type === 'break') text += ' '
    else if ('value' in node && !/^(html|mdx)/.test(node.type)) text += node.value
    else if ('alt' in node) text += node.alt ?? ''
  }
  return text
}
