import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SyncResult } from '@tidemark/sync-core'
import { seededRandom } from '@tidemark/test-engines/seeded-random'
import type { GeneratedSource } from '../../harness/generate-source.ts'
import type { Harness } from '../../harness/harness.ts'
import {
  type CommandLine,
  freeLeases,
  type ProcessOptions,
  runProcess,
  runTidemark,
  TIDEMARK,
} from '../../harness/process.ts'
import { embedStale } from '../embed-stale.ts'
import { observe } from '../observe.ts'
import { type Policy, type PolicyContext, runInTurn, type SourceWork, wasKilled } from './policy.ts'

/** A folder with a `tidemark.yaml` and the command on its `PATH`, and an empty database. */
export async function createEmptyHome(harness: Harness, sources: readonly GeneratedSource[], name: string) {
  const database = await harness.createDatabase(name)
  const cwd = join(harness.folder, name)
  const bin = join(cwd, 'bin')
  await mkdir(bin, { recursive: true })
  // Where there is such a folder, as users have it, the command keeps its compiled code.
  await mkdir(join(cwd, '.cache'))
  await writeFile(join(bin, 'tidemark'), `#!/bin/sh\nexec '${TIDEMARK.join("' '")}' "$@"\n`)
  await chmod(join(bin, 'tidemark'), 0o755)
  const config = sources.map(({ id, folder }) => [id, { repo: folder, ref: 'main' }])
  // What an index takes of an hour, some seconds, would be minutes of a scaled one; the old policy has none either.
  const settings = { search: false, sources: Object.fromEntries(config) }
  // JSON is YAML.
  await writeFile(join(cwd, 'tidemark.yaml'), JSON.stringify(settings))
  const env = { PATH: `${bin}:/usr/local/bin:/usr/bin:/bin`, HOME: cwd, DATABASE_URL: database }
  const options = { cwd, env, signal: harness.signal }
  await runProcess([...TIDEMARK, 'migrate', '--quiet'], options)
  return {
    ...options,
    database,
    /** Runs a command that syncs these sources. */
    async sync(command: CommandLine, sourceIds: readonly string[], limit: Pick<ProcessOptions, 'killAfterMs'> = {}) {
      const { results, startMs, ...end } = await runTidemark(command, { ...options, ...limit })
      return { killed: wasKilled(end), work: workFromResults(results, sourceIds, startMs, harness) }
    },
  }
}

/** A home whose database has all pages as they are before the first wave, and is as slow as the old policy's. */
export async function createHome(context: PolicyContext, name: string) {
  const { harness, sources, embedding, limits } = context
  const home = await createEmptyHome(harness, sources, name)
  await runProcess([...TIDEMARK, 'sync', '--all', '--quiet'], home)
  const observer = await observe(home.database, 'tidemark')
  // Ours has one worker: it is as fast as all that the old policy has by its rule.
  for (const { id, pageMs, changesPerHour } of sources) {
    await observer.setPageMs(id, pageMs / (changesPerHour > 100 ? 4 : 1))
  }
  return {
    ...home,
    observer,
    /** What the old policy does at the end of its job, for half an hour of its own. */
    embed: () => embedStale(observer.db, embedding.urlOf(name), AbortSignal.timeout(limits.halfHourSeconds * 1_000)),
    async finish() {
      const ids = sources.map(({ id }) => id)
      await freeLeases(ids, home)
      await runProcess([...TIDEMARK, 'sync', '--all', '--quiet'], home)
    },
  }
}

/** What a command that was to sync these sources has done; one that was killed has not said so. */
export function workFromResults(
  results: readonly SyncResult[],
  sources: readonly string[],
  startMs: number,
  harness: Pick<Harness, 'log'>,
) {
  return sources.map((source): SourceWork => {
    const result = results.find((each) => each.source === source)
    if (result?.status === 'failed') harness.log(`${source} failed: ${result.error.message}`)
    return {
      source,
      startMs,
      endMs: performance.now(),
      read: result?.blobsRead ?? null,
      stopped: result === undefined || result.status === 'partial',
      locked: result?.status === 'busy',
    }
  })
}

/** All sources side by side in one process. */
export const all = (context: PolicyContext): Promise<Policy> => oneCommand(context, 'all', ['--all'])

/** Each source in a process of its own, as many at a time as there are sources. */
export const independent = (context: PolicyContext): Promise<Policy> =>
  oneCommand(context, 'independent', ['--all', '--independent', `--concurrency=${context.sources.length}`])

async function oneCommand(context: PolicyContext, name: string, flags: string[]): Promise<Policy> {
  const { limits, sources } = context
  const { observer, embed, finish, sync } = await createHome(context, name)
  const command = [...TIDEMARK, 'sync', ...flags, `--timeout=${limits.halfHourSeconds}`, '--json'] as const
  const ids = sources.map(({ id }) => id)
  return { name, observer, finish, embed, wave: () => sync(command, ids, { killAfterMs: limits.hourMs }) }
}

const SCRIPT = fileURLToPath(new URL('../../../../../examples/cron/wave', import.meta.url))

/** A holder shows a sign of life every 15 seconds, which are not scaled, so nor is twice as much. */
const MIN_AGE_SECONDS = 30

/** The script that we recommend, its lines read from where they are printed, with the durations of this clock. */
export const cron = (context: PolicyContext): Promise<Policy> =>
  runScript(context, 'cron', ({ budgetSeconds, hardMs }) => ({ budgetSeconds, kill: `${hardMs / 1_000}` }))

/** The same where of four runs one has a budget that is too tight and one is killed. */
export function disturbed(context: PolicyContext): Promise<Policy> {
  const random = seededRandom(context.harness.seed)
  return runScript(context, 'disturbed', ({ budgetSeconds, hardMs }) => {
    const kind = Math.floor(random() * 4)
    const share = 0.1 + 0.3 * random()
    return {
      budgetSeconds: kind === 0 ? Math.max(1, Math.floor(budgetSeconds * share)) : budgetSeconds,
      kill: kind === 1 ? `-s KILL ${budgetSeconds * share}` : `${hardMs / 1_000}`,
    }
  })
}

async function runScript(
  context: PolicyContext,
  name: string,
  chooseLimits: (limits: PolicyContext['limits']) => { budgetSeconds: number; kill: string },
): Promise<Policy> {
  const { limits } = context
  const { observer, embed, finish, ...home } = await createHome(context, name)
  const script = await readFile(SCRIPT, 'utf8')
  const [breakLock] = script.match(/^tidemark sync --break-lock .*$/m) ?? []
  const [syncSource] = script.match(/^timeout .*$/m) ?? []
  if (!breakLock || !syncSource) throw new Error(`${SCRIPT} is not what it was: no line breaks locks or syncs a source`)
  const inShell = (line: string) => ['/bin/sh', '-c', `${line} --json`] as const
  const scaledMaxAge = Math.max(MIN_AGE_SECONDS, limits.halfHourSeconds)
  const breakLine = breakLock.replace(/--max-age \d+/, `--max-age ${scaledMaxAge}`)
  const syncLine = (id: string) => {
    const { budgetSeconds, kill } = chooseLimits(limits)
    return syncSource
      .replace(/^timeout \d+/, `timeout ${kill}`)
      .replace(/--source \S+/, `--source ${id}`)
      .replace(/--timeout \d+/, `--timeout ${budgetSeconds}`)
  }
  return {
    name,
    observer,
    finish,
    embed,
    async wave() {
      await runTidemark(inShell(breakLine), home)
      return runInTurn(context, (id) => home.sync(inShell(syncLine(id)), [id]))
    },
  }
}
