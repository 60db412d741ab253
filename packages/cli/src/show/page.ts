import type { ShownPage } from '@tidemark/sync-core'
import { stringify } from 'yaml'
import type { Output } from './output.ts'
import { freshness, pageName } from './words.ts'

/** Shows a page, what it links to and what links to it. */
export function showPage(page: ShownPage, output: Output): void {
  const { source, path, title, frontmatter, content, links, backlinks } = page
  output.print(`${output.paint('bold', title)}  ${output.paint('cyan', pageName(source, path))}`)
  output.print(`${output.paint('dim', freshness(page))}\n`)
  if (Object.keys(frontmatter).length > 0) output.print(`---\n${stringify(frontmatter)}---\n`)
  output.print(content.trim())
  const to = links.map(({ target, path }) => (path === null ? target : `${target} → ${pageName(source, path)}`))
  const from = backlinks.map(({ path, title }) => `${pageName(source, path)}  ${title}`)
  list('Links to', [...new Set(to)], output)
  list('Linked from', [...new Set(from)], output)
}

function list(head: string, lines: readonly string[], output: Output): void {
  if (lines.length === 0) return
  output.print(`\n${output.paint('bold', head)}\n${lines.map((line) => `  ${line}`).join('\n')}`)
}
