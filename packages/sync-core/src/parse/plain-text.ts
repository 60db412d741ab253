import type { Nodes } from 'mdast'
import { walk } from './walk.ts'

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
