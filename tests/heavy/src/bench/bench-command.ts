import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cloneCorpus } from '../harness/corpus.ts'
import type { Harness } from '../harness/harness.ts'
import { type CommandLine, runProcess, TIDEMARK } from '../harness/process.ts'
import { median } from '../harness/statistics.ts'
import { formatMs, renderFigures } from '../harness/tables.ts'
import { MAX_COMMAND_MS } from '../harness/thresholds.ts'
import { checkAtMost } from './check-at-most.ts'

export interface CommandSettings {
  /** Of each command; the median counts. */
  readonly runs: number
  /** Whether times are checked: of few runs on a busy machine they say little. */
  readonly checksTimes: boolean
}

const SOURCES = ['docs', 'wiki', 'handbook', 'notes']

const SYNC: CommandLine = [...TIDEMARK, 'sync', '--all', '--quiet']

/** The baseline first: what any command of Node takes on this machine. */
const COMMANDS: Readonly<Record<string, CommandLine>> = {
  'node -e 0': [process.execPath, '-e', '0'],
  'tidemark --version': [...TIDEMARK, '--version'],
  'tidemark sync --all, nothing new': SYNC,
}

/** Times commands that have nothing to do, process and all, beside a `node` that does nothing; they take turns. */
export async function benchCommand(
  { runs, checksTimes }: CommandSettings,
  { folder, signal, log, createDatabase }: Harness,
) {
  log('command: starts that have nothing to do')
  const cwd = join(folder, 'command')
  await mkdir(cwd)
  const repos = SOURCES.map((id) => ({ id, repo: join(cwd, `${id}.git`) }))
  for (const { repo } of repos) await cloneCorpus('vite', repo)
  const sources = Object.fromEntries(repos.map(({ id, repo }) => [id, { repo }]))
  // JSON is YAML.
  await writeFile(join(cwd, 'tidemark.yaml'), JSON.stringify({ sources }))
  const options = { cwd, env: { ...process.env, DATABASE_URL: await createDatabase('bench_command') }, signal }
  await runProcess(SYNC, options)
  const timings = Object.entries(COMMANDS).map(([command, line]) => ({ command, line, ms: [] as number[] }))
  for (let run = 0; run < runs; run++) {
    for (const { line, ms } of timings) ms.push((await runProcess(line, options)).ms)
  }
  const figures = timings.map(({ command, ms }) => ({ command, ms: median(ms) }))
  const nodeMs = figures[0]!.ms
  const title = 'Command: from start to end, on Postgres'
  const notes = ['node -e 0 is the baseline: what any command of Node takes on this machine']
  const table = renderFigures({ title, notes }, figures, ({ command }) => command, {
    'in all': ({ ms }) => formatMs(ms),
    'over node': ({ ms }) => formatMs(ms - nodeMs),
    '× node': ({ ms }) => (ms / nodeMs).toFixed(1),
  })
  const overNodeMs = figures.at(-1)!.ms - nodeMs
  const goal = `a sync of ${SOURCES.length} sources that finds nothing new, over node`
  return { figures, checks: checksTimes ? [checkAtMost(goal, overNodeMs, MAX_COMMAND_MS, formatMs)] : [], table }
}
