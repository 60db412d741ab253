import type { Root } from 'mdast'
import { targetName, targetPath } from './target-path.ts'
import { walk } from './walk.ts'

/** What a page points to, in the order of its text. */
export interface Link {
  readonly kind: 'link' | 'image' | 'wiki'
  /** As it is written. */
  readonly target: string
  /** The path in the same repository that it names, whether or not there is such a file; null for everything else. */
  readonly targetPath: string | null
  /** For a wiki link: the name of the page that it means, without folders, in lower case. */
  readonly targetName: string | null
}

/** The links, images and wiki links of a page; `[text][name]` counts with the address that `name` is defined as. */
export function linksOf(root: Root, text: string, path: string): Link[] {
  const definitions = new Map<string, string>()
  for (const node of walk(root)) {
    if (node.type === 'definition' && !definitions.has(node.identifier)) definitions.set(node.identifier, node.url)
  }
  const links: Link[] = []
  const add = (kind: Link['kind'], url: string | undefined) => {
    if (url === undefined) return
    const target = url.toWellFormed()
    links.push({
      kind,
      target,
      targetPath: targetPath(target, kind, path),
      targetName: kind === 'wiki' ? targetName(target) : null,
    })
  }
  for (const node of walk(root)) {
    if (node.type === 'link') add(text.startsWith('[[', node.position!.start.offset) ? 'wiki' : 'link', node.url)
    else if (node.type === 'image')
      add(text.startsWith('![[', node.position!.start.offset) ? 'wiki' : 'image', node.url)
    else if (node.type === 'linkReference') add('link', definitions.get(node.identifier))
    else if (node.type === 'imageReference') add('image', definitions.get(node.identifier))
  }
  return links
}
