/** What the answers of all tools have in common. */
import { type Database, errorProblem, redact, type SourceStatus } from '@tidemark/sync-core'
import { z } from 'zod'
import type { Config } from '../config/load-config.ts'
import { pageUrl } from '../output/page-url.ts'

export interface McpContext {
  readonly config: Config
  /** Lends a database that refuses to write. */
  use<T>(work: (db: Database) => Promise<T>): Promise<T>
}

/** They only read, and only the mirror. */
export const annotations = { readOnlyHint: true, openWorldHint: false }

export const freshness = {
  lastSyncedAt: z.string().nullable().describe('When its source was brought up to date last.'),
  behindMs: z
    .number()
    .nullable()
    .describe('For how long a newer commit is known than the one that is here; null: none is.'),
}
export const cited = {
  citation: z.string().describe('How to name it: source:path#anchor.'),
  url: z.string().nullable().describe('The file on its host, at the commit that it was read from.'),
}
export const sourceName = z.string().describe('Id of a source, as list_sources has it.')

/** Of a source that was never synced. */
export const NEVER: Pick<SourceStatus, 'lastSyncedAt' | 'behindMs'> = { lastSyncedAt: null, behindMs: null }

export const fresh = ({
  lastSyncedAt,
  behindMs,
}: {
  readonly lastSyncedAt: Date | null
  readonly behindMs: number | null
}) => ({
  lastSyncedAt: lastSyncedAt?.toISOString() ?? null,
  behindMs,
})

/** How a page, or a section of it, is named and where it is read. */
export function citePage(config: Config, source: string, path: string, commit: string | null, anchor?: string) {
  const repo = config.sources.find(({ id }) => id === source)?.repo
  const url = repo === undefined ? null : pageUrl(repo, commit, path, anchor)
  return { citation: `${source}:${path}${anchor ? `#${anchor}` : ''}`, url }
}

interface Answer {
  readonly text: string
  readonly data: Record<string, unknown>
}

/** A tool's answer; what keeps it from one is told with what to do now, and never ends the server. */
export const answering =
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
