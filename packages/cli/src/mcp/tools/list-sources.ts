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
      const listed = config.sources.map(({ id, repo, ref }) => {
        const status = statuses.find((each) => each.id === id)
        const source = {
          id,
          repo: redact(repo),
          ref,
          status: status?.lastStatus ?? null,
          commit: status?.bookmark ?? null,
          lastCheckedAt: status?.lastCheckedAt?.toISOString() ?? null,
          ...fresh(status ?? NEVER),
        }
        const state = `${source.status ?? 'never synced'} (${formatFreshness(status ?? NEVER)})`
        return { source, line: `${id}  ${source.repo} ${ref}  ${state}` }
      })
      const data = { sources: listed.map(({ source }) => source) }
      return { text: listed.map(({ line }) => line).join('\n'), data }
    }),
  )
}
