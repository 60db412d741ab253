import type { SearchHit, SearchResult } from '@tidemark/sync-core'
import type { Output } from './output.ts'
import { freshness, pageName } from './words.ts'

/** Shows the pages that were found, the best first, and what to know of how they were. */
export function showHits({ mode, hits, match, warnings }: SearchResult, words: string, output: Output): void {
  for (const { message } of warnings) process.stderr.write(`tidemark: ${message}\n`)
  if (hits.length === 0) {
    output.note(`Nothing was found for: ${words}`)
    return
  }
  // With meaning, pages that have some of the words are what was looked for.
  if (mode === 'text' && match === 'any') output.note('No page has all of these words; these have some of them.')
  output.print(hits.map((hit) => described(hit, output)).join('\n\n'))
}

function described(hit: SearchHit, output: Output): string {
  const { source, path, title, headingPath } = hit
  const place = headingPath.length === 0 ? '' : `${headingPath.join(' › ')} · `
  return [
    `${output.paint('bold', title)}  ${output.paint('cyan', pageName(source, path))}`,
    `  ${output.paint('dim', `${place}${freshness(hit)}`)}`,
    `  ${excerptOf(hit, output)}`,
  ].join('\n')
}

/** The excerpt with what was found in bold. */
function excerptOf({ excerpt, matches }: SearchHit, output: Output): string {
  let shown = ''
  let at = 0
  for (const { start, end } of matches) {
    shown += excerpt.slice(at, start) + output.paint('bold', excerpt.slice(start, end))
    at = end
  }
  return shown + excerpt.slice(at)
}
