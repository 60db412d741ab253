import type { Database, DatabaseProblem, Problem, RemoteHead, Source } from '@tidemark/sync-core'
import type { Command } from 'commander'
import type { Call } from '../call.ts'
import type { Config } from '../config/load-config.ts'
import { isMissing } from '../missing-database.ts'
import { formatCommit, formatDuration } from '../output/format.ts'
import { defineAction } from './define-action.ts'

/** `tidemark doctor`: what is wrong, and what fixes it. */
export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .summary('find out what is wrong, and the command that fixes it')
    .description(
      'Looks at git, the configuration, the database, its tables, pgvector and the server that embeds where one is configured, the leases, the clocks and every source. Changes nothing. Exit code 1 where something is wrong.',
    )
    .addHelpText('after', '\nExample:\n  $ tidemark doctor')
    .action(defineAction(doctor))
}

/** Checks all that a sync needs. @returns 1 where something is wrong. */
async function doctor(call: Call): Promise<number> {
  const { output } = call
  const findings = (await Promise.all([checkGit(), checkConfigured(call)])).flat()
  const healthy = findings.every(({ ok }) => ok)
  if (output.json) output.printJson('doctor', { healthy, findings })
  else
    for (const { check, ok, message, fix } of findings) {
      if (ok && output.quiet) continue
      const mark = ok
        ? fix === null
          ? output.paint('green', '✓')
          : output.paint('yellow', '!')
        : output.paint('red', '✗')
      output.print(`${mark} ${check}: ${message}`)
      if (fix !== null) output.print(`  ${fix}`)
    }
  return healthy ? 0 : 1
}

/** What one check has found. */
export interface Finding {
  readonly check: 'git' | 'configuration' | 'database' | 'schema' | 'clock' | 'embedding' | 'lease' | 'source'
  readonly ok: boolean
  readonly message: string
  /** The command or step that solves it; null where nothing is wrong. Beside `ok`, it is for a warning. */
  readonly fix: string | null
}

const ok = (check: Finding['check'], message: string): Finding => ({ check, ok: true, message, fix: null })

/** @param about what has the problem, where its message does not say */
const problem = (check: Finding['check'], { message, nextStep }: Problem, about?: string): Finding => ({
  check,
  ok: false,
  message: about === undefined ? message : `${about}: ${message}`,
  fix: nextStep,
})

/** What an error says, and what to do about it. */
async function failed(check: Finding['check'], error: unknown): Promise<Finding> {
  const { errorProblem } = await import('@tidemark/sync-core')
  return problem(check, errorProblem(error))
}

/** What can be checked only where there is a configuration that is right. */
async function checkConfigured(call: Call): Promise<Finding[]> {
  let config: Config
  try {
    config = call.config
  } catch (error) {
    return [await failed('configuration', error)]
  }
  const { file, sources } = config
  const { readRemoteHeads } = await import('../runtime/remote-heads.ts')
  const heads = readRemoteHeads(sources)
  const server = checkEmbeddingServer(config)
  const stored = await call
    .withDatabase('read_only', (db) => checkStored(db, config, heads))
    .catch(async (error) => [await failed('database', error), ...checkRepositories(config, await heads)])
  return [ok('configuration', `${file}, ${sources.length} sources`), ...stored, ...(await server)]
}

/** The database, and what it knows of the sources. */
async function checkStored(db: Database, config: Config, heads: Promise<RemoteHead[]>): Promise<Finding[]> {
  const { checkDatabase } = await import('@tidemark/sync-core')
  const problems = isMissing(db) ? [] : await checkDatabase(db)
  const access = problems.filter(({ code }) => code === 'read_only' || code === 'rights_missing')
  const server = await checkServer(db, access)
  if (access.some(({ blocksReading }) => blocksReading)) return [...server, ...checkRepositories(config, await heads)]
  const schema = await checkSchema(db)
  const embedding = await checkEmbedding(db, config).catch(async (error) => [await failed('embedding', error)])
  // Tables of an older release may lack what is asked of them.
  const writable = access.length === 0
  const found = schema.ok ? await checkSources(db, config, heads, writable) : checkRepositories(config, await heads)
  return [...server, schema, ...embedding, ...found]
}

const MIN_GIT = '2.34'

/** Whether git is there and new enough. */
async function checkGit(): Promise<Finding> {
  const nextStep = `Install git ${MIN_GIT} or newer.`
  const { execa } = await import('execa')
  const { stdout = '', failed } = await execa('git', ['--version'], { reject: false })
  if (failed) return problem('git', { message: 'the program "git" was not found', nextStep })
  const newEnough = stdout.localeCompare(`git version ${MIN_GIT}`, 'en', { numeric: true }) >= 0
  return newEnough ? ok('git', stdout) : problem('git', { message: `${stdout} is too old`, nextStep })
}

/** More than a token of a git server or a certificate would forgive. */
const MAX_SKEW_MS = 60_000

const CLOCKS_AGREE = ok('clock', 'this machine and the database agree')

/** Whether the database can be written to, and has the time of this machine. @param access what keeps it from that */
async function checkServer(db: Database, access: readonly DatabaseProblem[]): Promise<Finding[]> {
  // An embedded one has the clock of this machine.
  if (isMissing(db))
    return [ok('database', `PGlite in ${db.name}, which is not there yet: the first sync makes it`), CLOCKS_AGREE]
  const queriedAt = Date.now()
  const { rows } = await db.query(serverSql)
  const { version, now } = rows[0]!
  const skewMs = Math.abs(new Date(now).getTime() - (queriedAt + Date.now()) / 2)
  const kind = db.engine === 'pglite' ? 'PGlite, Postgres' : 'Postgres'
  const skewed = {
    message: `this machine and the database differ by ${formatDuration(skewMs)}`,
    nextStep: 'timedatectl set-ntp true',
  }
  return [
    ...(access.length === 0 ? [ok('database', `${kind} ${version} in ${db.name}`)] : []),
    ...access.map((each) => problem('database', each)),
    skewMs > MAX_SKEW_MS ? problem('clock', skewed) : CLOCKS_AGREE,
  ]
}

/** Whether the database has the tables of this release. */
async function checkSchema(db: Database): Promise<Finding> {
  const { pendingMigrations } = await import('@tidemark/sync-core')
  try {
    const pending = await pendingMigrations(db)
    if (pending.length === 0) return ok('schema', 'the tables are up to date')
    const nextStep = 'tidemark migrate'
    const absent = isMissing(db) || !(await db.query(TABLES_SQL)).rows[0].present
    if (!absent) return problem('schema', { message: 'the tables are older than this release', nextStep })
    const message = 'not set up yet: the first sync makes the tables, where its role may'
    return { ...ok('schema', message), fix: `tidemark sync --all, or only the tables: ${nextStep}` }
  } catch (error) {
    return failed('schema', error)
  }
}

const TABLES_SQL = `SELECT to_regclass('tidemark.migrations') IS NOT NULL AS present`

const serverSql = /* sql */ `
SELECT current_setting('server_version') AS version, clock_timestamp() AS now`

/** Whether the server that embeds answers, where one is configured. */
async function checkEmbeddingServer({ embedding }: Config): Promise<Finding[]> {
  if (embedding === null) return []
  const { checkEmbeddingServer } = await import('@tidemark/sync-core')
  const found = await checkEmbeddingServer(embedding)
  return [
    found
      ? problem('embedding', found)
      : ok('embedding', `${new URL(embedding.url).host} embeds by ${embedding.model}`),
  ]
}

/** Whether the database can hold embeddings, where someone is configured to make them, and finds them by an index. */
async function checkEmbedding(db: Database, { embedding }: Config): Promise<Finding[]> {
  if (embedding === null) return []
  const { isUnencrypted, redact } = await import('@tidemark/sync-core')
  const { model, url } = embedding
  const unencrypted = {
    ...ok('embedding', `${redact(url)} is not encrypted`),
    fix: 'Give "url" as https, or tunnel to it.',
  }
  return [...(await checkPgvector(db, model)), ...(isUnencrypted(url) ? [unencrypted] : [])]
}

async function checkPgvector(db: Database, model: string): Promise<Finding[]> {
  // An embedded database comes with it.
  if (isMissing(db)) return [ok('embedding', `${model}; ${db.name} has pgvector`)]
  const { CREATE_EXTENSION_STEP, checkVectors } = await import('@tidemark/sync-core')
  const support = await checkVectors(db)
  if (support.status === 'absent') {
    const message = `${db.name} has no pgvector, which holds embeddings`
    return [problem('embedding', { message, nextStep: `${support.install}.` })]
  }
  if (support.status === 'installed') {
    return [ok('embedding', `${model}; ${db.name} has pgvector ${support.version}`), ...(await checkIndex(db, model))]
  }
  const message = `${model}; the server of ${db.name} has pgvector ${support.version}, which is not installed in this database`
  if (!support.mayInstall) return [problem('embedding', { message, nextStep: `${CREATE_EXTENSION_STEP}.` })]
  return [ok('embedding', `${message} yet: tidemark embed does that`)]
}

/** Whether a search by meaning has an index, once there is all that it is built of. */
async function checkIndex(db: Database, model: string): Promise<Finding[]> {
  const { readModels, readVectorIndex } = await import('@tidemark/sync-core')
  const set = (await readModels(db)).find((each) => each.model === model && each.completedAt !== null)
  const index = set && (await readVectorIndex(db, set))
  if (index === undefined || index.status === 'built') return []
  const impossible = index.status === 'impossible'
  const message = `the vectors of ${model} have no index, and a search compares each of them`
  const nextStep = impossible
    ? `${index.impossible}.`
    : 'tidemark embed --all, or the SQL of: tidemark migrate --dry-run'
  return [{ ...problem('embedding', { message, nextStep }), ok: true }]
}

/** Whether each repository can be read and has its ref. */
function checkRepositories({ sources }: Config, heads: readonly RemoteHead[]): Finding[] {
  return sources.map((source, i) => checkRepository(source, heads[i]!))
}

const checkRepository = ({ id, ref }: Source, head: RemoteHead): Finding =>
  'problem' in head
    ? problem('source', head.problem, id)
    : ok('source', `${id}: ${ref} is at ${formatCommit(head.commit)}`)

/** Whether sources are fresh and whole, and pages there of sources that are no more. */
async function checkSources(
  db: Database,
  config: Config,
  heads: Promise<RemoteHead[]>,
  writable: boolean,
): Promise<Finding[]> {
  const { describeStored, findOrphans, readStored } = await import('../runtime/describe-sources.ts')
  const stored = await readStored(db, config.sources, config)
  const orphans = await findOrphans(db, config)
  const known = await heads
  const findings = config.sources.flatMap((source, i): Finding[] => {
    const { status } = stored[i]!
    const { state, problems } = describeStored(source, stored[i]!, known[i]!, config, { writable })
    const holder = `process ${status.lease?.pid} on ${status.lease?.host}`
    const syncing = ok('lease', `${source.id}: ${holder}, for ${formatDuration(status.lease?.heldForMs ?? 0)}`)
    return [
      // What is wrong with it is a problem already.
      ...('commit' in known[i]! ? [checkRepository(source, known[i]!)] : []),
      ...(state === 'syncing' ? [syncing] : []),
      ...problems.map(({ code, severity, ...found }) => ({
        ...problem(code === 'holder_silent' ? 'lease' : 'source', found, source.id),
        ok: severity === 'warning',
      })),
    ]
  })
  return [...findings, ...orphans.map((orphan) => ({ ...problem('source', orphan), ok: true }))]
}
