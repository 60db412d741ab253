/**
 * What an assistant can ask of a mirror: four tools, each of which only reads, from a connection on which the database
 * itself refuses to write. Each answer is a text for a model and the same as data, and says how fresh its source is.
 */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import {
  type Database,
  errorProblem,
  readChanges,
  readPage,
  readSection,
  readStatus,
  redact,
  type SourceStatus,
  search,
} from '@tidemark/sync-core'
import { z } from 'zod'
import { warnNeverSynced } from '../commands/search.ts'
import { refuseNeverSynced } from '../commands/show.ts'
import type { Config } from '../config/load-config.ts'
import { getSource } from '../config/select-sources.ts'
import { formatFreshness } from '../output/format.ts'
import { pageUrl } from '../output/page-url.ts'
import { version } from '../package.ts'

export interface McpContext {
  readonly config: Config
  /** Lends a database that refuses to write. */
  use<T>(work: (db: Database) => Promise<T>): Promise<T>
}

/** More than a question has. */
const MAX_QUERY = 1_000
/** How much of a page one answer has. */
const MAX_CHARACTERS = 40_000

const freshness = {
  lastSyncedAt: z.string().nullable().describe('When its source was brought up to date last.'),
  behindMs: z
    .number()
    .nullable()
    .describe('For how long a newer commit is known than the one that is here; null: none is.'),
}
const cited = {
  citation: z.string().describe('How to name it: source:path#anchor.'),
  url: z.string().nullable().describe('The file on its host, at the commit that it was read from.'),
}
const sourceName = z.string().describe('Id of a source, as list_sources has it.')

/** A server of the Model Context Protocol, to be connected to a transport. */
export function createMcpServer(context: McpContext): McpServer {
  const server = new McpServer({ name: 'tidemark', version: version() })
  const annotations = { readOnlyHint: true, openWorldHint: false }

  server.registerTool(
    'search',
    {
      description:
        'Finds pages of the mirrored documentation by words, and by meaning where there are embeddings. Words as in a web search: "a phrase", or, -without.',
      annotations,
      inputSchema: {
        query: z.string().trim().min(1).max(MAX_QUERY),
        sources: z.array(sourceName).optional().describe('Only in these; in all where there are none.'),
        limit: z.number().int().min(1).max(50).optional().describe('How many pages; 10.'),
        mode: z.enum(['text', 'vector', 'hybrid']).optional(),
      },
      outputSchema: {
        hits: z.array(
          z.object({
            ...cited,
            title: z.string(),
            headingPath: z.array(z.string()),
            excerpt: z.string(),
            ...freshness,
          }),
        ),
        warnings: z.array(z.string()),
        searched: z
          .array(z.object({ source: z.string(), ...freshness }))
          .optional()
          .describe('Where nothing was found: how fresh what was searched is.'),
      },
    },
    answering(async ({ query, sources: chosen = [], limit, mode }) => {
      const { config } = context
      for (const id of chosen) getSource(config, id)
      const sources = chosen.length > 0 ? chosen : undefined
      const options = { sources, limit, mode, embedding: config.embedding ?? undefined }
      const found = await context.use(async (db) => {
        const found = await search(db, query, options)
        const wanted = sources ?? config.sources.map(({ id }) => id)
        if (found.hits.length > 0) return { ...found, searched: [] }
        const warnings = [...found.warnings, ...(await warnNeverSynced(db, wanted))]
        return { ...found, warnings, searched: await readStatus(db, wanted) }
      })
      const hits = found.hits.map(({ source, path, title, headingPath, anchor, excerpt, commit, ...hit }) => {
        const { lastSyncedAt, behindMs } = hit
        return {
          ...citePage(config, source, path, commit, anchor ?? undefined),
          title,
          headingPath: [...headingPath],
          excerpt,
          ...fresh({ lastSyncedAt, behindMs }),
        }
      })
      const warnings = found.warnings.map(({ message }) => message)
      const lines = hits.map((hit, i) => {
        const { lastSyncedAt, behindMs } = found.hits[i]!
        return `${hit.citation}  ${hit.title}\n  ${hit.headingPath.join(' › ')}\n  ${hit.excerpt}\n  ${hit.url ?? ''} (${formatFreshness({ lastSyncedAt, behindMs })})`
      })
      if (hits.length > 0) return { text: [...warnings, ...lines].join('\n\n'), data: { hits, warnings } }
      const searched = found.searched.map((status) => ({ source: status.id, ...fresh(status) }))
      const where = found.searched.map((status) => `${status.id} (${formatFreshness(status)})`).join(', ')
      const text = `Nothing was found for: ${query}\nSearched: ${where}`
      return { text: [...warnings, text].join('\n\n'), data: { hits, warnings, searched } }
    }),
  )

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

  server.registerTool(
    'list_sources',
    {
      description: 'Lists the mirrored repositories, and how fresh each of them is.',
      annotations,
      inputSchema: {},
      outputSchema: {
        sources: z.array(
          z.object({
            id: z.string(),
            repo: z.string(),
            ref: z.string(),
            status: z.string().nullable().describe('How its last sync ended.'),
            commit: z.string().nullable().describe('The commit that is here.'),
            lastCheckedAt: z.string().nullable(),
            ...freshness,
          }),
        ),
      },
    },
    answering(async () => {
      const { config } = context
      const statuses = await context.use((db) =>
        readStatus(
          db,
          config.sources.map(({ id }) => id),
        ),
      )
      const sources = config.sources.map(({ id, repo, ref }) => {
        const status = statuses.find((each) => each.id === id)
        return {
          id,
          repo: redact(repo),
          ref,
          status: status?.lastStatus ?? null,
          commit: status?.bookmark ?? null,
          lastCheckedAt: status?.lastCheckedAt?.toISOString() ?? null,
          ...fresh(status ?? NEVER),
        }
      })
      const lines = sources.map(({ id, repo, ref, status }) => {
        const known = statuses.find((each) => each.id === id)
        return `${id}  ${repo} ${ref}  ${status ?? 'never synced'} (${formatFreshness(known ?? NEVER)})`
      })
      return { text: lines.join('\n'), data: { sources } }
    }),
  )

  server.registerTool(
    'changes',
    {
      description: 'Lists which pages of a source were added, changed, renamed or deleted since a cursor.',
      annotations,
      inputSchema: {
        source: sourceName,
        after: z
          .string()
          .optional()
          .describe('The cursor of the last answer; 0, the default, begins at the beginning.'),
        limit: z.number().int().min(1).max(1_000).optional().describe('How many; 100.'),
      },
      outputSchema: {
        changes: z.array(
          z.object({
            change: z.enum(['add', 'update', 'rename', 'delete']),
            ...cited,
            from: z.string().optional().describe('Where it was, of a rename.'),
            commit: z.string().nullable(),
          }),
        ),
        cursor: z.string().describe('Go on after it; an empty list is the end.'),
        ...freshness,
      },
    },
    answering(async ({ source, after, limit = 100 }) => {
      const { config } = context
      getSource(config, source)
      const { list, status } = await context.use(async (db) => ({
        list: await readChanges(db, source, { after, limit }),
        status: (await readStatus(db, [source]))[0] ?? NEVER,
      }))
      const changes = list.changes.map(({ change, path, from, commit }) => {
        const { citation, url } = citePage(config, source, path, change === 'delete' ? null : commit)
        return { change, citation, url, ...(from !== undefined && { from: `${source}:${from}` }), commit }
      })
      const lines = changes.map(({ change, citation, from }) => `${change}  ${from ? `${from} → ` : ''}${citation}`)
      const head = `${changes.length} changes of ${source} (${formatFreshness(status)}); go on after ${list.cursor}`
      return { text: [head, ...lines].join('\n'), data: { changes, cursor: list.cursor, ...fresh(status) } }
    }),
  )
  return server
}

const NEVER: Pick<SourceStatus, 'lastSyncedAt' | 'behindMs'> = { lastSyncedAt: null, behindMs: null }

const fresh = ({
  lastSyncedAt,
  behindMs,
}: {
  readonly lastSyncedAt: Date | null
  readonly behindMs: number | null
}) => ({
  lastSyncedAt: lastSyncedAt?.toISOString() ?? null,
  behindMs,
})

function citePage(config: Config, source: string, path: string, commit: string | null, anchor?: string) {
  const repo = config.sources.find(({ id }) => id === source)?.repo
  const url = repo === undefined ? null : pageUrl(repo, commit, path, anchor)
  return { citation: `${source}:${path}${anchor ? `#${anchor}` : ''}`, url }
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

interface Answer {
  readonly text: string
  readonly data: Record<string, unknown>
}

/** A tool's answer; what keeps it from one is told with what to do now, and never ends the server. */
const answering =
  <Input>(answer: (input: Input) => Promise<Answer>) =>
  async (input: Input) => {
    try {
      const { text, data } = await answer(input)
      return { content: [{ type: 'text' as const, text }], structuredContent: data }
    } catch (error) {
      const { message, nextStep } = errorProblem(error)
      return { isError: true, content: [{ type: 'text' as const, text: redact(`${message}\n${nextStep}`) }] }
    }
  }
