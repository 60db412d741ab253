import { dirname, join, resolve } from 'node:path'
import {
  type Embedding,
  isEmbedded,
  isRemote,
  redact,
  type Source,
  SyncError,
  validateEmbedding,
  validateSource,
} from '@tidemark/sync-core'
import type * as z from 'zod/mini'
import { didYouMean, UsageError } from '../usage-error.ts'
import { type ConfigDocument, readDocument } from './document.ts'
import { expandVariables } from './expand.ts'
import { configSchema, embeddingSchema, sourceSchema } from './schema.ts'

/** A source as `tidemark.yaml` has it. */
export interface ConfiguredSource extends Source {
  /** How often it is due. */
  readonly everyMs: number
}

/** What `tidemark.yaml` says, ready to be used: variables expanded, paths absolute, defaults filled in. */
export interface Config {
  /** Absolute path of the file. */
  readonly file: string
  /** A Postgres address or the folder of an embedded database; null where the file names none. */
  readonly database: string | null
  /** Whether a sync keeps the index for search. */
  readonly search: boolean
  /** For how long those who follow changes can be told what was deleted. */
  readonly keepDeletedMs: number
  /** Who embeds chunks; null where the file names no one. */
  readonly embedding: Embedding | null
  /** Whether `watch` has embedded what it has synced; `embedding` says by whom. */
  readonly embed: boolean
  /** The secrets of the webhooks that `watch` takes. */
  readonly hooks: Readonly<Record<string, string>>
  /** What assistants that ask `watch` must bear; null where nobody may. */
  readonly mcpToken: string | null
  /** Folder for clones of repositories that are on a server. */
  readonly clones: string
  /** The address of a monitor that is told of runs; null where the file names none. */
  readonly ping: string | null
  /** In the order of the file. */
  readonly sources: readonly ConfiguredSource[]
}

/**
 * Reads and checks a configuration file.
 *
 * @param file path of the file, see {@link findConfig}.
 * @throws {UsageError} naming file, line, column and what to do; never a value that could be secret.
 */
export function loadConfig(file: string): Config {
  const document = readDocument(file)
  expandVariables(document, process.env)
  const parsed = configSchema.safeParse(document.doc.toJS() ?? {})
  if (!parsed.success) throw schemaError(document, parsed.error.issues[0]!)
  const { database, every, sources, search, keepDeleted: keepDeletedMs, embedding, embed, ping } = parsed.data
  if (embed && embedding === undefined)
    throw new UsageError(
      `${document.keyAt(['embed'])}: nothing says who embeds`,
      'Write embedding: { url, model }, or leave embed out.',
    )
  const folder = dirname(file)
  return {
    file,
    database: database === undefined ? null : absoluteDatabase(folder, database, document),
    search,
    keepDeletedMs,
    clones: join(folder, '.tidemark', 'clones'),
    embedding: embedding === undefined ? null : parseEmbedding(embedding, document),
    embed,
    hooks: readHooks(parsed.data.hooks),
    mcpToken: parsed.data.mcp?.token.trim() || null,
    ping: ping || null,
    sources: Object.entries(sources ?? {}).map(([id, { repo, every: own, ...rest }]) => {
      const source = { ...rest, id, repo: isRemote(repo) ? repo : resolve(folder, repo), everyMs: own ?? every }
      // As it stands there: made absolute, anything would look like a path.
      rethrowAt(['sources', id], document, () => validateSource({ ...source, repo }))
      return source
    }),
  }
}

/** Those that are set: a variable that was read from a file may end with its line. */
const readHooks = (hooks: Readonly<Record<string, string | undefined>> = {}) =>
  Object.fromEntries(Object.entries(hooks).flatMap(([name, secret]) => (secret?.trim() ? [[name, secret.trim()]] : [])))

/** The database of a call: `--database`, else `DATABASE_URL`, else the file's, else a folder beside the file. */
export function resolveDatabase(config: Config, flag: string | undefined): string {
  return flag ?? (process.env.DATABASE_URL || config.database || join(dirname(config.file), '.tidemark', 'db'))
}

function parseEmbedding(
  { timeout: requestTimeoutMs, key, ...rest }: z.output<typeof embeddingSchema>,
  document: ConfigDocument,
): Embedding {
  // A variable that was read from a file may end with its line.
  const embedding = { ...rest, key: key?.trim() || undefined, requestTimeoutMs }
  rethrowAt(['embedding'], document, () => validateEmbedding(embedding))
  return embedding
}

/** Names the place in the file of what a check refuses. */
function rethrowAt<T>(path: readonly string[], { keyAt }: ConfigDocument, check: () => T): T {
  try {
    return check()
  } catch (error) {
    if (!(error instanceof SyncError)) throw error
    throw new UsageError(`${keyAt(path)}: ${redact(error.message)}`, error.hint)
  }
}

function schemaError({ keyAt, valueAt }: ConfigDocument, issue: z.core.$ZodIssue): UsageError {
  const name = issue.path.join('.')
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0]!
    const schemas = { '': configSchema, sources: sourceSchema, embedding: embeddingSchema }
    const known = Object.keys(schemas[String(issue.path[0] ?? '') as keyof typeof schemas].shape)
    const where = name === '' ? '' : ` in ${name}`
    return new UsageError(
      `${keyAt([...issue.path, key])}: unknown key "${key}"${where}`,
      `${didYouMean(key, known)}Known are ${known.join(', ')}.`,
    )
  }
  return new UsageError(
    `${valueAt(issue.path)}: ${name === '' ? 'the file' : name} is wrong: ${issue.message}`,
    'See tidemark init for an example.',
  )
}

function absoluteDatabase(folder: string, database: string, document: ConfigDocument): string {
  return rethrowAt(['database'], document, () => (isEmbedded(database) ? resolve(folder, database) : database))
}
