import type { Nodes } from 'mdast'

/** The nodes of a tree in the order of its text, by a stack of its own: Markdown may nest deeper than calls can. */
export function* walk(root: Nodes): Generator<Nodes> {
  const stack: Nodes[] = [root]
  for (let node = stack.pop(); node; node = stack.pop()) {
    yield node
    if ('children' in node) for (let i = node.children.length - 1; i >= 0; i--) stack.push(node.children[i]!)
  }
}

/** The words of a node as a reader sees them, without mark-up. */
export function plainText(root: Nodes): string {
  let text = ''
  for (const node of walk(root)) {
    if (node.type === 'break') text += ' '
    else if ('value' in node && node.type !== 'html') text += node.value
    else if ('alt' in node) text += node.alt ?? ''
  }
  return text
}
