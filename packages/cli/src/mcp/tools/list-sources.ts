import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { readStatus, redact } from '@tidemark/sync-core'
import { z } from 'zod'
import { formatFreshness } from '../../output/format.ts'
import { annotations, answering, fresh, freshness, type McpContext, NEVER } from '../answer.ts'

export function addListSources(server: McpServer, context: McpContext): void {
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
}
