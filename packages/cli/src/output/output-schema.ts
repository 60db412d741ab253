import { z } from 'zod'

const count = z.int().min(0)
const ms = z.number()
const time = z.iso.datetime({ offset: true })
const status = z.enum([
  'up_to_date',
  'synced',
  'first_sync',
  'dry_run',
  'partial',
  'blocked',
  'blocked_by_failures',
  'busy',
  'failed',
])
const holder = z.strictObject({ host: z.string(), pid: z.int() })

const warnings = z.array(z.strictObject({ code: z.string(), message: z.string() }))

/** How a run ended, with what only some endings have. */
const ending = {
  source: z.string(),
  status,
  reason: z.string().optional().describe('Of partial, blocked and failed.'),
  error: z.strictObject({ code: z.string(), message: z.string(), hint: z.string() }).optional(),
  holder: z
    .strictObject({
      host: z.string().nullable(),
      pid: z.int().nullable(),
      heldForMs: ms.nullable(),
      sinceRefreshMs: ms.nullable(),
    })
    .optional()
    .describe('Of busy.'),
  elapsedMs: ms,
  warnings,
}

const result = z.strictObject({
  ...ending,
  bookmark: z.string().nullable().describe('The commit of which everything is in.'),
  target: z.string().nullable().describe('The commit that the run worked towards.'),
  filesImported: count,
  filesUpdated: count,
  filesRenamed: count,
  filesDeleted: count,
  filesQuarantined: count,
  filesRemaining: count.nullable().describe('For the next run; null where no plan was made.'),
  blobsRead: count,
  phases: z.strictObject({ lock: ms, fetch: ms, plan: ms, apply: ms, search: ms }),
  changes: z
    .array(
      z.strictObject({
        change: z.enum(['add', 'update', 'rename', 'delete', 'quarantine']),
        path: z.string(),
        from: z.string().optional(),
      }),
    )
    .optional()
    .describe('Of dry_run.'),
})

const embedResult = z.strictObject({
  ...ending,
  model: z.string(),
  chunksEmbedded: count.describe('Each text once, in however many chunks it stands.'),
  chunksQuarantined: count.describe('Texts that the server refused.'),
  chunksRemaining: count.nullable().describe('For the next run; null where it was not counted.'),
  requests: count,
  tokens: count.describe('As the server has counted them.'),
  estimate: z
    .strictObject({
      tokens: count,
      cost: z.number().nullable().describe('Null where the configuration says no price.'),
    })
    .optional()
    .describe('Of dry_run.'),
})

/** How fresh what was found is. */
const fresh = {
  lastSyncedAt: time.nullable(),
  behindMs: ms.nullable().describe('For how long a newer commit of the source is known; null where none is.'),
}

const hit = z.strictObject({
  source: z.string(),
  path: z.string(),
  title: z.string(),
  headingPath: z.array(z.string()),
  excerpt: z.string(),
  matches: z
    .array(z.strictObject({ start: count, end: count }))
    .describe('Where in the excerpt the words are that were found.'),
  score: z.number().describe('Compares hits of one search and nothing else.'),
  ranks: z
    .strictObject({ text: z.int().nullable(), vector: z.int().nullable() })
    .describe('By words and by meaning, from 1; null where it was not among the first.'),
  ...fresh,
})

const verdict = z.enum(['broken', 'refused', 'absent'])

/** What each command prints with `--json`, beside `version`. */
const OUTPUTS = {
  init: { file: z.string(), source: z.string().nullable() },
  'sources list': {
    sources: z.array(
      z.strictObject({
        id: z.string(),
        repo: z.string(),
        ref: z.string(),
        subpath: z.string().nullable(),
        include: z.array(z.string()),
        exclude: z.array(z.string()),
        everyMs: ms,
      }),
    ),
  },
  'sources add': { added: z.string(), file: z.string(), commit: z.string() },
  'sources remove': {
    removed: z.string(),
    purged: z.strictObject({ pages: count, chunks: count, links: count, quarantined: count, runs: count }).nullable(),
  },
  sync: { results: z.array(result) },
  'sync --break-lock': {
    results: z.array(
      z.strictObject({
        source: z.string(),
        verdict,
        holder: holder.nullable(),
        sinceRefreshMs: ms.nullable(),
      }),
    ),
  },
  embed: {
    results: z.array(embedResult),
    collected: z
      .strictObject({ embeddings: count, models: z.array(z.string()) })
      .optional()
      .describe('With --gc, unless it was stopped before. With --dry-run: what would be.'),
  },
  search: {
    mode: z.enum(['text', 'vector', 'hybrid']),
    match: z
      .enum(['all', 'any'])
      .nullable()
      .describe('Whether pages have all of the words or some; null where words were not looked at.'),
    hits: z.array(hit),
    warnings,
  },
  show: {
    source: z.string(),
    path: z.string(),
    title: z.string(),
    frontmatter: z.record(z.string(), z.unknown()),
    content: z.string().describe('Markdown, without its front matter.'),
    blobOid: z.string(),
    sizeBytes: count,
    updatedAt: time,
    ...fresh,
    links: z.array(
      z.strictObject({
        target: z.string(),
        path: z.string().nullable().describe('Null where the target is no page of the source.'),
      }),
    ),
    backlinks: z.array(z.strictObject({ path: z.string(), title: z.string(), target: z.string() })),
  },
  status: {
    sources: z.array(
      z.strictObject({
        id: z.string(),
        repo: z.string(),
        ref: z.string(),
        state: z.enum(['syncing', 'unreachable', 'never_synced', 'behind', 'up_to_date']),
        bookmark: z.string().nullable(),
        target: z.string().nullable().describe('The commit that the ref names now; null where it cannot be read.'),
        behind: z.boolean().nullable(),
        behindMs: ms.nullable().describe('For how long at most; null where it is not, or was never looked at.'),
        lastStatus: status.nullable(),
        lastRun: z
          .strictObject({
            startedAt: time,
            finishedAt: time.nullable(),
            status: status.nullable(),
            reason: z.string().nullable(),
          })
          .nullable(),
        lastSyncedAt: time.nullable(),
        lastCheckedAt: time.nullable(),
        everyMs: ms,
        nextDueInMs: ms.describe('0 or less where it is due.'),
        quarantined: count,
        lease: holder.extend({ heldForMs: ms, sinceRefreshMs: ms.nullable(), expiresInMs: ms }).nullable(),
        problem: z.string().nullable(),
        fix: z.string().nullable().describe('The command that solves the problem.'),
      }),
    ),
  },
  runs: {
    runs: z.array(
      z.strictObject({
        source: z.string(),
        id: z.string(),
        startedAt: time,
        finishedAt: time.nullable(),
        status: status.nullable(),
        reason: z.string().nullable(),
        fromCommit: z.string().nullable(),
        toCommit: z.string().nullable(),
        counts: z.record(z.string(), z.number().nullable()).nullable(),
        host: z.string(),
        pid: z.int(),
      }),
    ),
  },
  'locks list': {
    locks: z.array(
      z.strictObject({
        key: z.string(),
        token: z.string(),
        holder: holder.nullable(),
        heldForMs: ms,
        sinceRefreshMs: ms.nullable(),
        expiresInMs: ms,
      }),
    ),
  },
  'locks break': { key: z.string(), verdict },
  doctor: {
    healthy: z.boolean(),
    findings: z.array(
      z.strictObject({
        check: z.enum(['git', 'configuration', 'database', 'schema', 'clock', 'embedding', 'lease', 'source']),
        ok: z.boolean(),
        message: z.string(),
        fix: z.string().nullable(),
      }),
    ),
  },
  migrate: { migrated: z.boolean() },
  'migrate --dry-run': { statements: z.array(z.string()) },
  'migrate --adopt': { adopted: z.string(), held: count },
}

/** The JSON Schema of all that is printed with `--json`, as it is shipped in `schema/output.json`: a definition each. */
export function outputJsonSchema(): object {
  const definitions = Object.entries(OUTPUTS).map(([command, shape]) => {
    const { $schema: _, ...schema } = z.toJSONSchema(z.strictObject({ version: z.literal(1), ...shape }))
    return [command, schema]
  })
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'What tidemark prints with --json',
    $defs: Object.fromEntries(definitions),
  }
}
