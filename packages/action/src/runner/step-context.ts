import * as core from '@actions/core'
import { isEmbedded } from '@tidemark/sync-core'
import {
  type Config,
  type ConfiguredSource,
  findConfig,
  loadConfig,
  resolveDatabase,
  selectSources,
  UsageError,
} from 'tidemark/config'
import { namesInput } from './inputs.ts'
import { maskKey, maskSecrets } from './secrets.ts'

/** What a step is about: the sources that its inputs name, and the address of the database. */
export interface StepContext {
  readonly config: Config
  readonly sources: readonly ConfiguredSource[]
  readonly database: string
  /** What the runner masks. */
  readonly secrets: readonly string[]
}

/** Variables that hold a secret, whether or not the configuration uses them. */
const KEYS = ['PGPASSWORD', 'GIT_TOKEN', 'EMBEDDING_KEY']

/** The runner masks each line of a secret too. */
const secretLines = (secret: string) => [secret, ...secret.split(/[\r\n]+/).map((line) => line.trim())].filter(Boolean)

/**
 * Reads the inputs `config`, `database-url`, `source` and `sources`; secrets are masked before anything is printed.
 *
 * @throws {UsageError} for what cannot be followed, before anything is touched.
 */
export function readStepContext(): StepContext {
  const databaseInput = core.getInput('database-url')
  maskSecrets(databaseInput)
  maskSecrets(process.env.DATABASE_URL ?? '')
  const keys = KEYS.flatMap((name) => maskKey(process.env[name]))
  const config = loadConfig(findConfig(core.getInput('config') || undefined))
  const database = resolveDatabase(config, databaseInput || undefined)
  const { embedding, sources } = config
  const addresses = [database, embedding?.url ?? '', ...sources.map(({ repo }) => repo)]
  const secrets = [...addresses.flatMap(maskSecrets), ...keys, ...maskKey(embedding?.key)].flatMap(secretLines)
  if (isEmbedded(database)) {
    throw new UsageError(
      'the Action needs a Postgres: an embedded database would be gone with the runner',
      'Set the input database-url to postgres://user:password@host/database, from a secret.',
    )
  }
  const names = namesInput()
  return { config, database, secrets, sources: names.length === 0 ? sources : selectSources(config, { source: names }) }
}
