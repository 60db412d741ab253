/**
 * Times the sync on real repositories, each measurement in a fresh process on a fresh database, ours and the floor
 * taking turns. `TIDEMARK_CORPORA` names a folder with rfcs.bundle and tldr.bundle; without it there is only the small
 * corpus of the demonstration.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startPostgresServer } from '@tidemark/test-engines/postgres-server'
import { execa } from 'execa'
import pg from 'pg'

const MEASURE = fileURLToPath(new URL('measure.ts', import.meta.url))
const DEMO = fileURLToPath(new URL('../../../demo/vite.bundle', import.meta.url))
const ROUNDS = 3
const BUDGETS = 40

const home = mkdtempSync(join(tmpdir(), 'tidemark-bench-'))
const server = await startPostgresServer()
const admin = new pg.Client({ connectionString: server.url })
await admin.connect()

interface Measurement {
  readonly ms: number
  readonly pages: number
  readonly megabytes: number
  readonly status: string
}

let databases = 0
async function freshDatabase(engine: string): Promise<string> {
  const name = `bench_${++databases}`
  if (engine === 'pglite') return join(home, name)
  await admin.query(`CREATE DATABASE ${name}`)
  return server.url.replace(/[^/]+$/, name)
}

async function measure(what: string, url: string, repo: string, budgetMs = ''): Promise<Measurement> {
  const { stdout } = await execa(process.execPath, [MEASURE, what, url, repo, String(budgetMs)])
  return JSON.parse(stdout)
}

/** Commits a change of so many files, without a work tree. */
async function change(repo: string, files: number): Promise<void> {
  const env = {
    GIT_INDEX_FILE: join(home, 'index'),
    GIT_AUTHOR_NAME: 'b',
    GIT_AUTHOR_EMAIL: 'b',
    GIT_COMMITTER_NAME: 'b',
    GIT_COMMITTER_EMAIL: 'b',
  }
  const git = async (args: string[], input = '') =>
    (await execa('git', ['-C', repo, ...args], { env, input, maxBuffer: 1 << 28 })).stdout
  await git(['read-tree', 'main'])
  const all = (await git(['ls-tree', '-r', '--name-only', 'main']))
    .split('\n')
    .filter((path) => /^[\w/.-]+\.md$/.test(path))
  const step = Math.max(1, Math.floor(all.length / files))
  const chosen = all.filter((_, i) => i % step === 0).slice(0, files)
  const records = []
  for (const path of chosen)
    records.push(
      `100644 ${await git(['hash-object', '-w', '--stdin'], `# changed\n\n${path} ${Math.random()}`)}\t${path}`,
    )
  await git(['update-index', '--index-info'], `${records.join('\n')}\n`)
  const commit = await git(['commit-tree', '-p', 'main', '-m', 'change', await git(['write-tree'])])
  await git(['update-ref', 'refs/heads/main', commit])
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
const ms = (value: number) => `${Math.round(value)} ms`

const folder = process.env.TIDEMARK_CORPORA
const bundles =
  folder === undefined
    ? [['vite', DEMO]]
    : ['rfcs', 'tldr'].map((name) => [name, join(folder, `${name}.bundle`)])
const rows = []
for (const [corpus = '', bundle = ''] of bundles) {
  if (!existsSync(bundle)) throw new Error(`there is no ${bundle}`)
  const repo = join(home, `${corpus}.git`)
  await execa('git', ['clone', '--quiet', '--bare', bundle, repo])
  for (const engine of ['postgres', 'pglite']) {
    const first: Measurement[] = []
    const floors: Measurement[] = []
    let url = ''
    for (let round = 0; round < ROUNDS; round++) {
      floors.push(await measure('floor', await freshDatabase(engine), repo))
      url = await freshDatabase(engine)
      first.push(await measure('sync', url, repo))
    }
    const noop = await measure('sync', url, repo)
    await change(repo, 32)
    const changed = await measure('sync', url, repo)
    const overshoots: number[] = []
    for (let i = 0; i < BUDGETS; i++) {
      const budgetMs = 20 + Math.round(Math.random() * median(first.map((each) => each.ms)) * 0.8)
      const stopped = await measure('full', url, repo, String(budgetMs))
      if (stopped.status === 'partial') overshoots.push(stopped.ms - budgetMs)
    }
    const ourMs = median(first.map((each) => each.ms))
    const floorMs = median(floors.map((each) => each.ms))
    rows.push({
      corpus,
      engine,
      pages: first[0]!.pages,
      'first import': ms(ourMs),
      'pages/s': Math.round(first[0]!.pages / (ourMs / 1000)),
      floor: ms(floorMs),
      '× floor': (ourMs / floorMs).toFixed(2),
      'no-op': ms(noop.ms),
      '32 changes': ms(changed.ms),
      'peak MB': Math.round(median(first.map((each) => each.megabytes))),
      'overshoot p99':
        overshoots.length === 0
          ? '–'
          : ms(overshoots.toSorted((a, b) => a - b)[Math.floor(overshoots.length * 0.99)]!),
    })
  }
}
console.table(rows)
await admin.end()
await server.stop()
rmSync(home, { recursive: true, force: true })
