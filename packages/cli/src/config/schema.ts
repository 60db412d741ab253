import { DEFAULT_KEEP_MS } from '@tidemark/sync-core'
import * as z from 'zod/mini'
import en from 'zod/v4/locales/en.js'
import { UsageError } from '../usage-error.ts'
import { durationMs } from './duration.ts'
import { isPingUrl } from './ping-url.ts'

/** How often a source is due where nothing says otherwise. */
const DEFAULT_EVERY = '1h'

// The small interface of zod: the other takes twice the time to load, which each command has to wait for.
z.config(en())

function described<Schema extends z.ZodMiniType>(schema: Schema, description: string): Schema {
  z.globalRegistry.add(schema, { description })
  return schema
}

const duration = () =>
  z
    .pipe(
      z.union([z.string(), z.number()], { error: 'expected a duration such as 60, 60s, 10m or 1h' }),
      z.transform((value, context) => {
        try {
          return durationMs(String(value))
        } catch (error) {
          if (!(error instanceof UsageError)) throw error
          // Not the text itself: a variable may have put anything there.
          const message = `it is not a duration that can be used. ${error.hint}`
          context.issues.push({ code: 'custom', message, input: value })
          return z.NEVER
        }
      }),
    )
    .register(z.globalRegistry, { pattern: '^[0-9]+[smh]?$|[$][{]', examples: ['60', '60s', '10m', '1h'] })

const text = () => z.string().check(z.minLength(1))
const patterns = () => z.array(text())
const count = (max?: number) => z.int().check(z.minimum(1), ...(max === undefined ? [] : [z.maximum(max)]))

export const sourceSchema = z.strictObject({
  repo: described(text(), 'Path of a git repository, seen from this file, or an https, ssh or file address.'),
  ref: described(z._default(text(), 'HEAD'), 'Branch, tag, commit id or HEAD.'),
  subpath: described(z.optional(text()), 'Mirror only this folder of the repository.'),
  include: described(z.optional(patterns()), 'Mirror only files that match one of these, as in .gitignore.'),
  exclude: described(z.optional(patterns()), 'Do not mirror files that match one of these, as in .gitignore.'),
  extensions: described(
    z.optional(patterns().check(z.minLength(1))),
    'Endings of the files that are pages. md, markdown and mdx by default.',
  ),
  linkRoot: described(
    z.optional(text()),
    'The folder that a leading slash of a link means, "." for the root of the repository. By default the subpath, and where no page is there, the root and the folders above the linking page.',
  ),
  maxFiles: described(
    z.optional(count()),
    'How many files its commit may have, in the subpath, pages or not. 1000000 by default; a sync that finds more is blocked.',
  ),
  every: described(z.optional(duration()), 'How often it is due; a duration. By default what "every" above says.'),
  language: described(
    z.optional(text()),
    'Language that its text is searched in, by the name of a dictionary of Postgres. english by default.',
  ),
})

export const embeddingSchema = z.strictObject({
  url: described(
    text(),
    'What /embeddings is below, for example https://api.openai.com/v1 or http://localhost:11434/v1.',
  ),
  key: described(
    z.optional(z.string()),
    'Sent as a bearer token: a variable, as ${OPENAI_API_KEY:-}. Where that is not set, only embedding fails.',
  ),
  model: described(text(), 'Name of a model that the server has.'),
  dimensions: described(z.optional(count(16_000)), 'How long vectors are to be, for models that leave a choice.'),
  batchSize: described(z.optional(count(2_048)), 'How many texts one request carries. 64 by default.'),
  concurrency: described(z.optional(count(256)), 'How many requests are under way at a time. 4 by default.'),
  timeout: described(
    z.optional(duration()),
    'After how long a request without an answer is tried again. 60s by default.',
  ),
  pricePerMillionTokens: described(z.optional(z.number().check(z.minimum(0))), 'For the estimate of --dry-run.'),
})

export const configSchema = z.strictObject({
  database: described(
    z.optional(text()),
    'A Postgres address, or the folder of an embedded database. --database and DATABASE_URL count for more.',
  ),
  every: described(
    z._default(duration(), durationMs(DEFAULT_EVERY)),
    `How often sources are due; a duration. ${DEFAULT_EVERY} by default.`,
  ),
  search: described(
    z._default(z.boolean(), true),
    'Whether a sync keeps the index for search by words, when the pages are in. true by default.',
  ),
  keepDeleted: described(
    z._default(duration(), DEFAULT_KEEP_MS),
    'For how long those who follow changes can be told what was deleted; a duration. 720h by default, which is 30 days.',
  ),
  embedding: described(
    z.optional(embeddingSchema),
    'Who embeds chunks, for search by meaning: any server with the protocol of OpenAI.',
  ),
  embed: described(
    z._default(z.boolean(), false),
    'Whether tidemark watch has what it has synced embedded, by the server that embedding names. false by default.',
  ),
  hooks: described(
    z.optional(
      z.strictObject({
        github: described(z.optional(z.string()), 'Secret of webhooks of GitHub.'),
        gitlab: described(z.optional(z.string()), 'Secret token of webhooks of GitLab.'),
        gitea: described(z.optional(z.string()), 'Secret of webhooks of Gitea and Forgejo.'),
        generic: described(z.optional(z.string()), 'Secret of requests of your own.'),
      }),
    ),
    'The secrets of the webhooks that tidemark watch --listen takes; variables, as ${WEBHOOK_SECRET:-}. One that is empty takes none.',
  ),
  mcp: described(
    z.optional(z.strictObject({ token: described(z.string(), 'What a request must bear.') })),
    'Lets assistants ask tidemark watch --listen at /mcp; a variable, as ${MCP_TOKEN:-}. Where it is empty, nobody may.',
  ),
  ping: described(
    z.optional(
      z.string().check(
        z.trim(),
        z.refine((url) => url === '' || isPingUrl(url), 'expected the http or https address of a check'),
      ),
    ),
    'The check of a monitor with the protocol of healthchecks.io that sync and embed tell when they start, succeed and fail; a variable, as ${PING_URL:-}, because it is a secret. --ping counts for more.',
  ),
  sources: described(
    z.nullish(z.record(z.string(), sourceSchema)),
    'What is mirrored: a name of letters, digits, ".", "_" and "-", and the repository.',
  ),
})

/** The JSON Schema of `tidemark.yaml`, as it is shipped in `schema/tidemark.yaml.json` for editors. */
export function configJsonSchema(): object {
  return { title: 'tidemark.yaml', ...z.toJSONSchema(configSchema, { io: 'input' }) }
}
