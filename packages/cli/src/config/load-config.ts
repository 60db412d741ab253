import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { checkedSource, isEmbedded, isRemote, type Source, SyncError } from '@tidemark/sync-core'
import { type Document, isMap, isNode, LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import { didYouMean } from '../nearest.ts'
import { UsageError } from '../usage-error.ts'

/** What `tidemark.yaml` says, ready to be used. */
export interface Config {
  readonly file: string
  /** A Postgres address or the folder of an embedded database; null where the file names none. */
  readonly database: string | null
  readonly sources: readonly Source[]
}

const sourceSchema = z.strictObject({
  repo: z.string().min(1),
  ref: z.string().min(1).default('HEAD'),
  subpath: z.string().min(1).optional(),
  include: z.array(z.string()).optional(),
  exclude: z.array(z.string()).optional(),
})
const configSchema = z.strictObject({
  database: z.string().min(1).optional(),
  sources: z.record(z.string(), sourceSchema).nullish(),
})

/** @throws {UsageError} naming file, line and what to do. */
export function loadConfig(file: string): Config {
  const { doc, lineOf } = readDocument(file)
  const parsed = configSchema.safeParse(doc.toJS() ?? {})
  if (!parsed.success) throw explain(file, parsed.error.issues[0]!, lineOf)
  const { database, sources } = parsed.data
  const folder = dirname(file)
  const expand = (text: string, path: string[]) => expandVariables(text, `${file}:${lineOf(path)}`)
  return {
    file,
    database: database === undefined ? null : databaseIn(folder, expand(database, ['database'])),
    sources: Object.entries(sources ?? {}).map(([id, { repo, ref, ...selection }]) => {
      const source = {
        ...selection,
        id,
        repo: repositoryIn(folder, expand(repo, ['sources', id, 'repo'])),
        ref: expand(ref, ['sources', id, 'ref']),
      }
      try {
        checkedSource(source)
      } catch (error) {
        if (error instanceof SyncError)
          throw new UsageError(`${file}:${lineOf(['sources', id])}: ${error.message}`, error.hint)
        throw error
      }
      return source
    }),
  }
}

/** The file as a document that keeps its comments. @throws {UsageError} where it is not YAML. */
export function readDocument(file: string): {
  doc: Document
  lineOf: (path: readonly PropertyKey[]) => number
} {
  const lines = new LineCounter()
  const doc = parseDocument(readText(file), { lineCounter: lines, prettyErrors: false })
  const error = doc.errors[0]
  if (error) {
    const { line } = lines.linePos(error.pos[0])
    throw new UsageError(
      `${file}:${line}: this is not YAML: ${error.message}`,
      'Mend the line, or see tidemark init for an example.',
    )
  }
  const lineOf = (path: readonly PropertyKey[]) => lines.linePos(offsetOf(doc, path)).line
  return { doc, lineOf }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(
      `${file} cannot be read: ${(error as Error).message}`,
      'Check the file and its rights.',
    )
  }
}

/** Where a key stands, or the nearest thing around it that stands somewhere. */
function offsetOf(doc: Document, path: readonly PropertyKey[]): number {
  for (let depth = path.length; depth > 0; depth--) {
    const parent = depth === 1 ? doc.contents : doc.getIn(path.slice(0, depth - 1), true)
    const pair = isMap(parent)
      ? parent.items.find(({ key }) => String(key) === String(path[depth - 1]))
      : undefined
    if (pair && isNode(pair.key) && pair.key.range) return pair.key.range[0]
  }
  return 0
}

function explain(
  file: string,
  issue: z.core.$ZodIssue,
  lineOf: (path: readonly PropertyKey[]) => number,
): UsageError {
  const name = issue.path.join('.')
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0]!
    const known = issue.path.length === 0 ? Object.keys(configSchema.shape) : Object.keys(sourceSchema.shape)
    const where = name === '' ? '' : ` in ${name}`
    return new UsageError(
      `${file}:${lineOf([...issue.path, key])}: unknown key "${key}"${where}`,
      `${didYouMean(key, known)}Known are ${known.join(', ')}.`,
    )
  }
  return new UsageError(
    `${file}:${lineOf(issue.path)}: ${name === '' ? 'the file' : name} is wrong: ${issue.message}`,
    'See tidemark init for an example.',
  )
}

function expandVariables(text: string, where: string): string {
  return text.replace(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = process.env[name]
    if (value === undefined)
      throw new UsageError(
        `${where}: the variable ${name} is not set`,
        `Set it, or write the value in place of \${${name}}.`,
      )
    return value
  })
}

function databaseIn(folder: string, database: string): string {
  return isEmbedded(database) ? resolve(folder, database) : database
}

function repositoryIn(folder: string, repo: string): string {
  return isRemote(repo) ? repo : resolve(folder, repo)
}

/** The database of a call: `--database`, else `DATABASE_URL`, else the file's, else a folder beside the file. */
export function databaseOf(config: Config, flag: string | undefined): string {
  return (
    flag ?? (process.env.DATABASE_URL || config.database || join(dirname(config.file), '.tidemark', 'db'))
  )
}
