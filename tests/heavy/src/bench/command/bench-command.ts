import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { type FigureTable, milliseconds } from '../../ground/figure-table.ts'
import type { Part, Stage } from '../../ground/part.ts'
import { median } from '../../ground/percentile.ts'
import { TIDEMARK } from '../../ground/tidemark.ts'
import { cloneOf } from '../corpus.ts'
import { freshDatabases } from '../fresh-databases.ts'

export interface CommandSettings {
  /** Of each command; the median counts. */
  readonly runs: number
}

export interface CommandFigures {
  readonly command: string
  /** From its start to its end, as who has started it sees it. */
  readonly ms: number
}

/** Times commands that have nothing to do, process and all, beside a `node` that does nothing; they take turns. */
export async function benchCommand(
  { runs }: CommandSettings,
  { ground, tell }: Stage,
): Promise<Part<readonly CommandFigures[]>> {
  tell('command: starts that have nothing to do')
  const folder = join(ground.folder, 'command')
  await mkdir(folder)
  const repo = await cloneOf('vite', folder)
  await writeFile(join(folder, 'tidemark.yaml'), `sources: { docs: { repo: ${repo} } }\n`)
  const env = { DATABASE_URL: await freshDatabases(ground, 'bench_command')('postgres') }
  const run = (args: readonly string[]) =>
    execa(process.execPath, args, { cwd: folder, env, cancelSignal: ground.signal })
  const sync = [TIDEMARK, 'sync', '--all', '--quiet']
  await run(sync)
  const commands = {
    'node -e 0': ['-e', '0'],
    'tidemark --version': [TIDEMARK, '--version'],
    'tidemark sync --all, nothing new': sync,
  }
  const times = Object.entries(commands).map(([command, args]) => ({ command, args, each: [] as number[] }))
  for (let n = 0; n < runs; n++) {
    for (const { args, each } of times) {
      const started = performance.now()
      await run(args)
      each.push(performance.now() - started)
    }
  }
  return { figures: times.map(({ command, each }) => ({ command, ms: median(each) })), checks: [] }
}

export function commandTable(figures: readonly CommandFigures[]): FigureTable {
  const floor = figures[0]!.ms
  return {
    title: 'Command: from start to end, on Postgres',
    columns: ['in all', 'over node', '× node'],
    rows: figures.map(({ command, ms }) => [
      command,
      milliseconds(ms),
      milliseconds(ms - floor),
      (ms / floor).toFixed(1),
    ]),
    notes: ['node -e 0 is the floor: what any command of Node takes on this machine'],
  }
}
