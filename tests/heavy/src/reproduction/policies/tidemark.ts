import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SyncResult } from '@tidemark/sync-core'
import { createPool } from '../../harness/harness.ts'
import { type CommandLine, type ProcessOptions, runProcess, runTidemark, TIDEMARK } from '../../harness/process.ts'
import { type Policy, type PolicyContext, runInTurn, type SourceWork, type WaveWork } from './policy.ts'

export type Home = Awaited<ReturnType<typeof createHome>>

/** A folder with a `tidemark.yaml` and the command on its `PATH`, and a database with what is there before the first wave. */
export async function createHome({ harness, sources }: PolicyContext, name: string) {
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
  const known = sources.filter(({ isNew }) => !isNew).flatMap(({ id }) => ['--source', id])
  const prepare = known.length > 0 ? ['sync', ...known] : ['migrate']
  await runProcess([...TIDEMARK, ...prepare, '--quiet'], { cwd, env, signal: harness.signal })
  const db = createPool(database)
  await db.query('ANALYZE')
  return {
    cwd,
    env,
    async bookmarks(): Promise<ReadonlyMap<string, string | null>> {
      const { rows } = await db.query('SELECT id, bookmark FROM tidemark.sources')
      const known = new Map<string, string | null>(rows.map((row) => [row.id, row.bookmark]))
      return new Map(sources.map(({ id }) => [id, known.get(id) ?? null]))
    },
    close: () => db.end(),
  }
}

/** What `timeout` of coreutils exits with where it had to end a command. */
const TIMED_OUT = [124, 137]

async function runCommand(command: CommandLine, options: ProcessOptions, context: PolicyContext): Promise<WaveWork> {
  const { exitCode, killed, results, startMs } = await runTidemark(command, options)
  return { killed: killed || TIMED_OUT.includes(exitCode ?? 0), work: workFromResults(results, startMs, context) }
}

/** Runs `tidemark sync` with these flags. */
export function runSync(
  { cwd, env }: Home,
  flags: readonly string[],
  context: PolicyContext,
  limit: Pick<ProcessOptions, 'killAfterMs'> = {},
): Promise<WaveWork> {
  const options = { cwd, env, signal: context.harness.signal, ...limit }
  return runCommand([...TIDEMARK, 'sync', ...flags, '--json'], options, context)
}

export function workFromResults(results: readonly SyncResult[], startMs: number, { harness }: PolicyContext) {
  return results.map((result): SourceWork => {
    if (result.status === 'failed') harness.log(`${result.source} failed: ${result.error.message}`)
    return {
      source: result.source,
      startMs,
      endMs: performance.now(),
      read: result.blobsRead,
      // A page that moves is read too: where its links lead depends on its path.
      stored: result.filesImported + result.filesUpdated + result.filesRenamed + result.filesQuarantined,
      keeps: true,
      refusedBy: result.status === 'busy' ? 'running' : undefined,
    }
  })
}

/** All sources side by side in one process. */
export const all = (context: PolicyContext): Promise<Policy> => oneCommand(context, 'all', ['--all'])

/** Each source in a process of its own, as many at a time as the machine has cores. */
export const independent = (context: PolicyContext): Promise<Policy> =>
  oneCommand(context, 'independent', ['--all', '--independent', `--concurrency=${availableParallelism()}`])

async function oneCommand(context: PolicyContext, name: string, flags: string[]): Promise<Policy> {
  const { budgetSeconds, waveMs } = context.limits
  const home = await createHome(context, name)
  const wave = () => runSync(home, [...flags, `--timeout=${budgetSeconds}`], context, { killAfterMs: waveMs })
  return { name, bookmarks: home.bookmarks, close: home.close, wave }
}

const SCRIPT = fileURLToPath(new URL('../../../../../examples/cron/wave', import.meta.url))

/**
 * A lease is not scaled: its holder shows a sign of life every 15 seconds, and is dead when it has missed as many as
 * this. Scaled, the half hour of the script would be less than one.
 */
const MAX_AGE_SECONDS = 60

/** The script that we recommend, its lines read from where they are printed, with the durations of this clock. */
export async function cron(context: PolicyContext): Promise<Policy> {
  const { harness, limits } = context
  const { cwd, env, bookmarks, close } = await createHome(context, 'cron')
  const script = await readFile(SCRIPT, 'utf8')
  const [breakLock] = script.match(/^tidemark sync --break-lock .*$/m) ?? []
  const [sync] = script.match(/^timeout .*$/m) ?? []
  if (!breakLock || !sync) throw new Error(`${SCRIPT} is not what it was: no line breaks locks or syncs a source`)
  const options = { cwd, env, signal: harness.signal }
  const inShell = (line: string) => ['/bin/sh', '-c', `${line} --json`] as const
  const breakLine = breakLock.replace(/--max-age \d+/, `--max-age ${MAX_AGE_SECONDS}`)
  const syncLine = (id: string) =>
    sync
      .replace(/^timeout \d+/, `timeout ${limits.hardMs / 1_000}`)
      .replace(/--source \S+/, `--source ${id}`)
      .replace(/--timeout \d+/, `--timeout ${limits.budgetSeconds}`)
  return {
    name: 'cron',
    bookmarks,
    close,
    async wave() {
      await runTidemark(inShell(breakLine), options)
      return runInTurn(context, (id) => runCommand(inShell(syncLine(id)), options, context))
    },
  }
}
