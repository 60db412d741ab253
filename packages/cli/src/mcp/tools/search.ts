import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { readStatus, search } from '@tidemark/sync-core'
import { z } from 'zod'
import { warnNeverSynced } from '../../commands/search.ts'
import { getSource } from '../../config/select-sources.ts'
import { formatFreshness } from '../../output/format.ts'
import { annotations, answering, cited, citePage, fresh, freshness, type McpContext, sourceName } from '../answer.ts'

/** More than a question has. */
const MAX_QUERY = 1_000

export function addSearch(server: McpServer, context: McpContext): void {
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
}
