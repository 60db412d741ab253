import { z } from 'zod'

const text = z.string()
const count = z.int().min(0)
const ms = z.number()
const time = z.iso.datetime({ offset: true })
const [maybeText, maybeMs, maybeTime] = [text.nullable(), ms.nullable(), time.nullable()]
const list = <Shape extends z.ZodRawShape>(shape: Shape) => z.array(z.strictObject(shape))
const FINISHED = ['up_to_date', 'synced', 'first_sync', 'dry_run'] as const
const status = z.enum([...FINISHED, 'partial', 'blocked', 'blocked_by_failures', 'busy', 'failed'])
const holder = z.strictObject({ host: text, pid: z.int() })

const warnings = list({ code: text, message: text })

/** How a run ended, with what only some endings have. */
const ending = {
  source: text,
  status,
  reason: text.optional().describe('Of partial, blocked and failed.'),
  error: z.strictObject({ code: text, message: text, hint: text }).optional(),
  holder: z
    .strictObject({ host: maybeText, pid: z.int().nullable(), heldForMs: maybeMs, sinceRefreshMs: maybeMs })
    .optional()
    .describe('Of busy.'),
  elapsedMs: ms,
  warnings,
}

const result = z.strictObject({
  ...ending,
  bookmark: maybeText.describe('The commit of which everything is in.'),
  target: maybeText.describe('The commit that the run worked towards.'),
  filesImported: count,
  filesUpdated: count,
  filesRenamed: count,
  filesDeleted: count,
  filesQuarantined: count,
  filesRemaining: count.nullable().describe('For the next run; null where no plan was made.'),
  blobsRead: count,
  phases: z.strictObject({ lock: ms, fetch: ms, plan: ms, apply: ms, search: ms }),
  changes: list({
    change: z.enum(['add', 'update', 'rename', 'delete', 'quarantine']),
    path: text,
    from: text.optional(),
  })
    .optional()
    .describe('Of dry_run.'),
})

const embedResult = z.strictObject({
  ...ending,
  model: text,
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
  lastSyncedAt: maybeTime,
  behindMs: maybeMs.describe('For how long a newer commit of the source is known; null where none is.'),
}

const hit = z.strictObject({
  source: text,
  path: text,
  title: text,
  headingPath: z.array(text),
  excerpt: text,
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
  init: { file: text, source: maybeText },
  'sources list': {
    sources: list({
      id: text,
      repo: text,
      ref: text,
      subpath: maybeText,
      include: z.array(text),
      exclude: z.array(text),
      everyMs: ms,
    }),
  },
  'sources add': { added: text, file: text, commit: text },
  'sources remove': {
    removed: text,
    purged: z.strictObject({ pages: count, chunks: count, links: count, quarantined: count, runs: count }).nullable(),
  },
  sync: { results: z.array(result) },
  'sync --break-lock': {
    results: list({ source: text, verdict, holder: holder.nullable(), sinceRefreshMs: maybeMs }),
  },
  embed: {
    results: z.array(embedResult),
    collected: z
      .strictObject({ embeddings: count, models: z.array(text) })
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
    source: text,
    path: text,
    title: text,
    frontmatter: z.record(text, z.unknown()),
    content: text.describe('Markdown, without its front matter.'),
    blobOid: text,
    sizeBytes: count,
    updatedAt: time,
    ...fresh,
    links: list({ target: text, path: maybeText.describe('Null where the target is no page of the source.') }),
    backlinks: list({ path: text, title: text, target: text }),
  },
  status: {
    sources: list({
      id: text,
      repo: text,
      ref: text,
      state: z.enum(['syncing', 'unreachable', 'never_synced', 'behind', 'up_to_date']),
      bookmark: maybeText,
      target: maybeText.describe('The commit that the ref names now; null where it cannot be read.'),
      behind: z.boolean().nullable(),
      behindMs: maybeMs.describe('For how long at most; null where it is not, or was never looked at.'),
      lastStatus: status.nullable(),
      lastRun: z
        .strictObject({ startedAt: time, finishedAt: maybeTime, status: status.nullable(), reason: maybeText })
        .nullable(),
      lastSyncedAt: maybeTime,
      lastCheckedAt: maybeTime,
      everyMs: ms,
      nextDueInMs: ms.describe('0 or less where it is due.'),
      quarantined: count,
      lease: holder.extend({ heldForMs: ms, sinceRefreshMs: maybeMs, expiresInMs: ms }).nullable(),
      problem: maybeText,
      fix: maybeText.describe('The command that solves the problem.'),
    }),
  },
  runs: {
    runs: list({
      source: text,
      id: text,
      startedAt: time,
      finishedAt: maybeTime,
      status: status.nullable(),
      reason: maybeText,
      fromCommit: maybeText,
      toCommit: maybeText,
      counts: z.record(text, z.number().nullable()).nullable(),
      host: text,
      pid: z.int(),
    }),
  },
  'locks list': {
    locks: list({
      key: text,
      token: text,
      holder: holder.nullable(),
      heldForMs: ms,
      sinceRefreshMs: maybeMs,
      expiresInMs: ms,
    }),
  },
  'locks break': { key: text, verdict },
  doctor: {
    healthy: z.boolean(),
    findings: list({
      check: z.enum(['git', 'configuration', 'database', 'schema', 'clock', 'embedding', 'lease', 'source']),
      ok: z.boolean(),
      message: text,
      fix: maybeText,
    }),
  },
  migrate: { migrated: z.boolean() },
  'migrate --dry-run': { statements: z.array(text) },
  'migrate --adopt': { adopted: text, held: count },
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
