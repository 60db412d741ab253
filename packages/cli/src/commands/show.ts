import type { Database } from '@tidemark/sync-core'
import type { Command } from 'commander'
import type { Call } from '../call.ts'
import { formatFreshness, formatPageName } from '../output/format.ts'
import type { Output } from '../output/output.ts'
import { UsageError } from '../usage-error.ts'
import { defineAction } from './define-action.ts'

/** `tidemark show`: a page. */
export function addShow(program: Command): void {
  program
    .command('show')
    .summary('print a page, what it links to and what links to it')
    .description('Prints a page as it is mirrored, what it links to and what links to it. Changes nothing.')
    .argument('<page>', 'a source and a path in it, as search prints them: docs:guide/start.md')
    .addHelpText('after', '\nExample:\n  $ tidemark show docs:guide/start.md')
    .action(defineAction(show))
}

async function show(call: Call, name: string): Promise<void> {
  const [, id, pagePath] = /^([^:]+):(.+)$/s.exec(name) ?? []
  if (id === undefined || pagePath === undefined) {
    throw new UsageError(
      `"${name}" does not name a page`,
      'Give a source and a path in it, as search prints them: docs:guide/start.md',
    )
  }
  const { readPage } = await import('@tidemark/sync-core')
  const { getSource } = await import('../config/select-sources.ts')
  getSource(call.config, id)
  const page = await call.withDatabase('read_only', (db) => readPage(db, id, pagePath).catch(refuseNeverSynced(db, id)))
  const { output } = call
  const { pageUrl } = await import('../output/page-url.ts')
  const repo = call.config.sources.find((each) => each.id === id)!.repo
  const url = pageUrl(repo, page.commit, page.path)
  if (output.json) return output.printJson('show', { ...page, url })
  const { source, path, title, frontmatter, content, links, backlinks } = page
  output.print(`${output.paint('bold', title)}  ${output.paint('cyan', formatPageName(source, path))}`)
  output.print(output.paint('dim', [formatFreshness(page), url].filter((each) => each !== null).join(' · ')), '')
  if (Object.keys(frontmatter).length > 0) {
    output.printText(`---\n${(await import('yaml')).stringify(frontmatter)}---\n\n`)
  }
  output.printText(content.endsWith('\n') || content === '' ? content : `${content}\n`)
  const to = links.map(({ target, path, file }) => {
    const there = path === null ? file : formatPageName(source, path)
    return there === null ? target : `${target} → ${there}`
  })
  const from = backlinks.map(({ path, title }) => `${formatPageName(source, path)}  ${title}`)
  printList('Links to', [...new Set(to)], output)
  printList('Linked from', [...new Set(from)], output)
}

/** A page that is not there yet is not one that is not there. */
export const refuseNeverSynced = (db: Database, id: string) => async (error: Error) => {
  const { readSource, SyncError } = await import('@tidemark/sync-core')
  const isMissing = error instanceof SyncError && error.code === 'PAGE_NOT_FOUND'
  if (!isMissing || (await readSource(db, id))?.bookmark) throw error
  const message = `${error.message}: its first sync is not done yet`
  throw new SyncError('PAGE_NOT_FOUND', message, `tidemark sync --source ${id}`, error)
}

function printList(head: string, lines: readonly string[], output: Output): void {
  if (lines.length === 0) return
  output.print('', output.paint('bold', head), ...lines.map((line) => `  ${line}`))
}
