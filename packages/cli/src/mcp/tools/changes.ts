import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { readChanges, readStatus } from '@tidemark/sync-core'
import { z } from 'zod'
import { getSource } from '../../config/select-sources.ts'
import { formatFreshness } from '../../output/format.ts'
import {
  annotations,
  answering,
  cited,
  citePage,
  fresh,
  freshness,
  type McpContext,
  NEVER,
  sourceName,
} from '../answer.ts'

export function addChanges(server: McpServer, context: McpContext): void {
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
}
