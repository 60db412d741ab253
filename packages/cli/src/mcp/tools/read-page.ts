import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { type Database, readPage, readSection } from '@tidemark/sync-core'
import { z } from 'zod'
import { refuseNeverSynced } from '../../commands/show.ts'
import { getSource } from '../../config/select-sources.ts'
import { formatFreshness } from '../../output/format.ts'
import { annotations, answering, cited, citePage, fresh, freshness, type McpContext } from '../answer.ts'

/** How much of a page one answer has. */
const MAX_CHARACTERS = 40_000

export function addReadPage(server: McpServer, context: McpContext): void {
  server.registerTool(
    'read_page',
    {
      description: 'Reads a page, or the section of it that an anchor or a heading names.',
      annotations,
      inputSchema: {
        page: z.string().describe('As search cites it: source:path, or source:path#anchor for a section.'),
        heading: z.string().optional().describe('A heading of the page, for the section below it.'),
        offset: z.number().int().min(0).optional().describe('Where to go on in a long one, as the last answer said.'),
      },
      outputSchema: {
        ...cited,
        title: z.string(),
        content: z.string().describe('Markdown.'),
        nextOffset: z.number().nullable().describe('Where to go on; null at the end.'),
        links: z.array(z.string()).describe('Pages that it links to.'),
        backlinks: z.array(z.string()).describe('Pages that link to it.'),
        ...freshness,
      },
    },
    answering(async ({ page: name, heading, offset = 0 }) => {
      const named = parsePageName(name)
      getSource(context.config, named.source)
      const { source, page, section } = await context.use(async (db) => {
        const { source, path, anchor, page } = await findPage(db, named).catch(refuseNeverSynced(db, named.source))
        const wanted = heading || anchor
        return { source, page, section: wanted === undefined ? null : await readSection(db, source, path, wanted) }
      })
      const whole = section?.content ?? page.content
      const content = cutWhole(whole, offset)
      const end = offset + content.length
      const nextOffset = end < whole.length ? end : null
      const places = citePage(context.config, source, page.path, page.commit, section?.anchor)
      const more =
        nextOffset === null ? '' : `\n\n(${whole.length - end} more characters: read_page with offset ${end})`
      const nameOf = (to: { path: string | null }) => (to.path === null ? [] : [`${source}:${to.path}`])
      return {
        text: `${places.citation}  ${page.title}\n${places.url ?? ''} (${formatFreshness(page)})\n\n${content}${more}`,
        data: {
          ...places,
          title: page.title,
          content,
          nextOffset,
          links: [...new Set(page.links.flatMap(nameOf))],
          backlinks: [...new Set(page.backlinks.flatMap(nameOf))],
          ...fresh(page),
        },
      }
    }),
  )
}

/** A name as search cites it. What follows a "#" may also be a part of the path, which is found out by looking. */
function parsePageName(name: string) {
  const [, source, path] = /^([^:\0]+):([^\0]+)$/.exec(name) ?? []
  if (source !== undefined && path !== undefined) return { source, path }
  throw Object.assign(new Error(`"${name}" does not name a page`), {
    hint: 'Give it as search cites it: docs:guide/start.md',
  })
}

async function findPage(db: Database, { source, path }: { readonly source: string; readonly path: string }) {
  const [, before, anchor] = /^(.+)#([^#]*)$/.exec(path) ?? []
  try {
    return { source, path, anchor: undefined, page: await readPage(db, source, path) }
  } catch (error) {
    if (before === undefined || (error as { code?: string }).code !== 'PAGE_NOT_FOUND') throw error
    return { source, path: before, anchor: anchor || undefined, page: await readPage(db, source, before) }
  }
}

/** A part of a text that does not end within a character. */
function cutWhole(text: string, offset: number): string {
  const part = text.slice(offset, offset + MAX_CHARACTERS)
  const more = offset + part.length < text.length
  return more && /[\uD800-\uDBFF]$/.test(part) ? part.slice(0, -1) : part
}
