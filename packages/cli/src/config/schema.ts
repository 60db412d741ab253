import { DEFAULT_KEEP_MS } from '@tidemark/sync-core'
import { z } from 'zod'
import { UsageError } from '../usage-error.ts'
import { durationMs } from './duration.ts'
import { isPingUrl } from './ping-url.ts'

/** How often a source is due where nothing says otherwise. */
const DEFAULT_EVERY = '1h'

const durationSchema = z
  .union([z.string(), z.number()], { error: 'expected a duration such as 60, 60s, 10m or 1h' })
  .transform((value, context) => {
    try {
      return durationMs(String(value))
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      // Not the text itself: a variable may have put anything there.
      context.addIssue({ code: 'custom', message: `it is not a duration that can be used. ${error.hint}` })
      return z.NEVER
    }
  })
  .meta({ pattern: '^[0-9]+[smh]?$|[$][{]', examples: ['60', '60s', '10m', '1h'] })

const text = z.string().min(1)
const patterns = z.array(text)

export const sourceSchema = z.strictObject({
  repo: text.describe('Path of a git repository, seen from this file, or an https, ssh or file address.'),
  ref: text.default('HEAD').describe('Branch, tag, commit id or HEAD.'),
  subpath: text.optional().describe('Mirror only this folder of the repository.'),
  include: patterns.optional().describe('Mirror only files that match one of these, as in .gitignore.'),
  exclude: patterns.optional().describe('Do not mirror files that match one of these, as in .gitignore.'),
  extensions: patterns
    .min(1)
    .optional()
    .describe('Endings of the files that are pages. md, markdown and mdx by default.'),
  linkRoot: text
    .optional()
    .describe(
      'The folder that a leading slash of a link means, "." for the root of the repository. By default the subpath, and where no page is there, the root and the folders above the linking page.',
    ),
  maxFiles: z
    .int()
    .min(1)
    .optional()
    .describe(
      'How many files its commit may have, in the subpath, pages or not. 1000000 by default; a sync that finds more is blocked.',
    ),
  every: durationSchema.optional().describe('How often it is due; a duration. By default what "every" above says.'),
  language: text
    .optional()
    .describe('Language that its text is searched in, by the name of a dictionary of Postgres. english by default.'),
})

export const embeddingSchema = z.strictObject({
  url: text.describe('What /embeddings is below, for example https://api.openai.com/v1 or http://localhost:11434/v1.'),
  key: z
    .string()
    .optional()
    .describe(
      'Sent as a bearer token: a variable, as ${OPENAI_API_KEY:-}. Where that is not set, only embedding fails.',
    ),
  model: text.describe('Name of a model that the server has.'),
  dimensions: z
    .int()
    .min(1)
    .max(16_000)
    .optional()
    .describe('How long vectors are to be, for models that leave a choice.'),
  batchSize: z.int().min(1).max(2_048).optional().describe('How many texts one request carries. 64 by default.'),
  concurrency: z.int().min(1).max(256).optional().describe('How many requests are under way at a time. 4 by default.'),
  timeout: durationSchema
    .optional()
    .describe('After how long a request without an answer is tried again. 60s by default.'),
  pricePerMillionTokens: z.number().min(0).optional().describe('For the estimate of --dry-run.'),
})

export const configSchema = z.strictObject({
  database: text
    .optional()
    .describe('A Postgres address, or the folder of an embedded database. --database and DATABASE_URL count for more.'),
  every: durationSchema
    .default(durationMs(DEFAULT_EVERY))
    .describe(`How often sources are due; a duration. ${DEFAULT_EVERY} by default.`),
  search: z
    .boolean()
    .default(true)
    .describe('Whether a sync keeps the index for search by words, when the pages are in. true by default.'),
  keepDeleted: durationSchema
    .default(DEFAULT_KEEP_MS)
    .describe(
      'For how long those who follow changes can be told what was deleted; a duration. 720h by default, which is 30 days.',
    ),
  embedding: embeddingSchema
    .optional()
    .describe('Who embeds chunks, for search by meaning: any server with the protocol of OpenAI.'),
  ping: z
    .string()
    .trim()
    .refine((url) => url === '' || isPingUrl(url), 'expected the http or https address of a check')
    .optional()
    .describe(
      'The check of a monitor with the protocol of healthchecks.io that sync and embed tell when they start, succeed and fail; a variable, as ${PING_URL:-}, because it is a secret. --ping counts for more.',
    ),
  sources: z
    .record(z.string(), sourceSchema)
    .nullish()
    .describe('What is mirrored: a name of letters, digits, ".", "_" and "-", and the repository.'),
})

/** The JSON Schema of `tidemark.yaml`, as it is shipped in `schema/tidemark.yaml.json` for editors. */
export function configJsonSchema(): object {
  return { title: 'tidemark.yaml', ...z.toJSONSchema(configSchema, { io: 'input' }) }
}
