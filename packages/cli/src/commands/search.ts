import type { Database, SearchHit, SearchMode, SearchResult } from '@tidemark/sync-core'
import { type Command, Option } from 'commander'
import type { Call } from '../call.ts'
import { formatFreshness, formatPageName } from '../output/format.ts'
import type { Output } from '../output/output.ts'
import { UsageError } from '../usage-error.ts'
import { defineAction } from './define-action.ts'
import { collect, parseCount } from './flags.ts'

/** `tidemark search`: finds pages. */
export function addSearch(program: Command): void {
  program
    .command('search')
    .summary('find pages by words, by meaning, or by both')
    .description(
      'Finds pages in what is mirrored: by words, and also by meaning where it has been embedded. Words are as a web search has them: "a phrase", or, -without. Changes nothing.',
    )
    .argument('<words...>', 'what to look for')
    .option('--source <id>', 'only in this source; can be given several times', collect)
    .option('--limit <n>', 'how many pages', parseCount, 10)
    .addOption(
      new Option('--mode <mode>', 'by what (default: hybrid where there are embeddings, else text)').choices([
        'text',
        'vector',
        'hybrid',
      ]),
    )
    .option('--open', 'open the first one in the browser, on the host of its repository')
    .addHelpText(
      'after',
      `\nExamples:\n  $ tidemark search dev server proxy\n  $ tidemark search '"dev server"' proxy -webpack --source vite\n  $ tidemark search how do I forward requests --mode vector --limit 3`,
    )
    .action(defineAction(findPages))
}

interface SearchFlags {
  readonly source?: readonly string[]
  readonly limit: number
  readonly mode?: SearchMode
  readonly open?: boolean
}

async function findPages(
  call: Call,
  words: readonly string[],
  { source, limit, mode, open }: SearchFlags,
): Promise<void> {
  const query = words.join(' ').replace(/\s+/g, ' ').trim()
  if (query === '') throw new UsageError('search needs words', 'Give some, for example: tidemark search proxy')
  const { search } = await import('@tidemark/sync-core')
  const { pageUrl } = await import('../output/page-url.ts')
  const { getSource } = await import('../config/select-sources.ts')
  const { config, output } = call
  const sources = source && [...new Set(source)].map((id) => getSource(config, id).id)
  const options = { sources, limit, mode, embedding: config.embedding ?? undefined }
  const result = await call.withDatabase('read_only', async (db) => {
    const found = await search(db, query, options)
    const wanted = sources ?? config.sources.map(({ id }) => id)
    const warnings = found.hits.length > 0 ? [] : await warnNeverSynced(db, wanted)
    return { ...found, warnings: [...found.warnings, ...warnings] }
  })
  const hits = result.hits.map((hit) => {
    const repo = config.sources.find(({ id }) => id === hit.source)?.repo
    return { ...hit, url: repo ? pageUrl(repo, hit.commit, hit.path, hit.anchor ?? undefined) : null }
  })
  if (output.json) output.printJson('search', { ...result, hits })
  else showHits(result, query, output)
  if (open && hits.length > 0) await openHit(hits[0]!, output)
}

/** Shows a hit in the browser; where there is none, its address is printed. */
async function openHit(
  { source, path, url }: SearchHit & { readonly url: string | null },
  output: Output,
): Promise<void> {
  if (url === null) {
    const name = formatPageName(source, path)
    return output.warn(
      `tidemark: ${name} has no address: its repository is on this machine, or on a host that is not known`,
    )
  }
  output.notify(`Opening ${url}`)
  const { default: openBrowser } = await import('open')
  const browser = await openBrowser(url).catch(() => null)
  browser?.on('error', () => output.warn(`tidemark: there is no browser; the address is ${url}`))
}

/** Why nothing can be found in sources that have no sync behind them. */
export async function warnNeverSynced(db: Database, ids: readonly string[]): Promise<SearchResult['warnings']> {
  const { readSources } = await import('@tidemark/sync-core')
  const synced = new Set((await readSources(db)).filter(({ bookmark }) => bookmark !== null).map(({ id }) => id))
  const missing = ids.filter((id) => !synced.has(id))
  if (missing.length === 0) return []
  const step = missing.length === ids.length ? '--all' : missing.map((id) => `--source ${id}`).join(' ')
  const message = `the first sync of ${missing.join(', ')} is not done yet; run: tidemark sync ${step}`
  return [{ code: 'never_synced', message }]
}

/** Shows the pages that were found, the best first, and what to know of how they were. */
function showHits({ mode, hits, match, warnings }: SearchResult, query: string, output: Output): void {
  for (const { message } of warnings) output.warn(`tidemark: ${message}`)
  if (hits.length === 0) {
    output.notify(`Nothing was found for: ${query}`)
    return
  }
  // With meaning, pages that have some of the words are what was looked for.
  if (mode === 'text' && match === 'any') output.notify('No page has all of these words; these have some of them.')
  output.print(...hits.flatMap((hit, i) => [...(i === 0 ? [] : ['']), ...formatHit(hit, output)]))
}

function formatHit(hit: SearchHit, output: Output): string[] {
  const { source, path, title, headingPath } = hit
  const heading = headingPath.length === 0 ? '' : `${headingPath.join(' › ')} · `
  return [
    `${output.paint('bold', title)}  ${output.paint('cyan', formatPageName(source, path))}`,
    `  ${output.paint('dim', `${heading}${formatFreshness(hit)}`)}`,
    ...(hit.excerpt === '' ? [] : [`  ${highlightMatches(hit, output)}`]),
  ]
}

/** The excerpt with what was found in bold. */
function highlightMatches({ excerpt, matches }: SearchHit, output: Output): string {
  let text = ''
  let index = 0
  for (const { start, end } of matches) {
    text += excerpt.slice(index, start) + output.paint('bold', excerpt.slice(start, end))
    index = end
  }
  return text + excerpt.slice(index)
}

/** Options of every command that the next argument belongs to. */
const WITH_VALUE = ['--config', '--database']
const SHORT = ['-h', '-V']

/**
 * Makes a word such as `-webpack` one that commander does not take for an option: with a space before it, which means
 * nothing to a search. What begins with two dashes stays an option, so that a mistyped one is refused.
 */
export function protectNegatedTerms(args: readonly string[]): readonly string[] {
  const index = args.findIndex((arg, i) => !arg.startsWith('-') && !WITH_VALUE.includes(args[i - 1] ?? ''))
  if (args[index] !== 'search') return args
  return args.map((arg, i) => (i > index && /^-[^-]/.test(arg) && !SHORT.includes(arg) ? ` ${arg}` : arg))
}
