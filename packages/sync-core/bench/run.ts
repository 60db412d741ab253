/**
 * Times the sync on real repositories, each measurement in a fresh process, imports on a fresh database, ours and the
 * floor taking turns. `TIDEMARK_CORPORA` names a folder with rfcs.bundle and tldr.bundle; without it there is only the
 * small corpus of the demonstration. With the argument `scale`: 370,000 made-up pages.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startPostgresServer } from '@tidemark/test-engines/postgres-server'
import { execa } from 'execa'
import pg from 'pg'
import { commitChange, madeUpRepository } from './repositories.ts'

const MEASURE = fileURLToPath(new URL('measure.ts', import.meta.url))
const DEMO = fileURLToPath(new URL('../../../demo/vite.bundle', import.meta.url))
const SCALE = process.argv.includes('scale')
const ROUNDS = SCALE ? 1 : 3
const STOPS = SCALE ? 40 : 200

const home = mkdtempSync(join(tmpdir(), 'tidemark-bench-'))
const server = await startPostgresServer()
const admin = new pg.Client({ connectionString: server.url })
await admin.connect()

let databases = 0
async function freshDatabase(engine: string): Promise<string> {
  const name = `bench_${++databases}`
  if (engine === 'pglite') return join(home, name)
  await admin.query(`CREATE DATABASE ${name}`)
  return server.url.replace(/[^/]+$/, name)
}

async function measure(what: string, url: string, repo: string, ...more: number[]) {
  const { stdout } = await execa(process.execPath, [MEASURE, what, url, repo, ...more.map(String)])
  return JSON.parse(stdout)
}

const sorted = (values: readonly number[]) => values.toSorted((a, b) => a - b)
const median = (values: readonly number[]) => sorted(values)[Math.floor(values.length / 2)]!
const p99 = (values: readonly number[]) => sorted(values)[Math.floor(values.length * 0.99)]!
const ms = (value: number) => `${Math.round(value)} ms`

async function row(corpus: string, engine: string, repo: string) {
  const first = []
  const floors = []
  let url = ''
  for (let round = 0; round < ROUNDS; round++) {
    floors.push(await measure('floor', await freshDatabase(engine), repo))
    url = await freshDatabase(engine)
    first.push(await measure('sync', url, repo))
  }
  const noop = await measure('sync', url, repo)
  const compare = await measure('compare', url, repo)
  await commitChange(repo, 32, home)
  const changed = await measure('sync', url, repo)
  const full = await measure('full', url, repo)
  const ourMs = median(first.map((each) => each.ms))
  const floorMs = median(floors.map((each) => each.ms))
  const stops = await measure('stops', await freshDatabase(engine), repo, STOPS, Math.min(ourMs * 0.6, 1_000))
  const runs = [...first, noop, compare, changed, full]
  return {
    corpus,
    engine,
    pages: first[0].pages,
    'first import': ms(ourMs),
    'pages/s': Math.round(first[0].pages / (ourMs / 1000)),
    floor: ms(floorMs),
    '× floor': (ourMs / floorMs).toFixed(2),
    'no-op': ms(noop.ms),
    '32 changes': ms(changed.ms),
    'full compare': ms(compare.ms),
    'full sync': ms(full.ms),
    'peak MB': Math.round(Math.max(...runs.map((each) => each.megabytes))),
    'longest hold': ms(Math.max(...[...runs, stops].map((each) => each.longestHoldMs))),
    [`overshoot p99 of ${stops.overshootsMs.length}`]: ms(p99(stops.overshootsMs)),
    'read twice a stop': Math.round(stops.blobsTwicePerStop),
  }
}

async function corpora(): Promise<[string, string][]> {
  if (SCALE) return [['made up', await madeUpRepository(370_000, home)]]
  const folder = process.env.TIDEMARK_CORPORA
  const bundles = folder ? ['rfcs', 'tldr'].map((name) => join(folder, `${name}.bundle`)) : [DEMO]
  return Promise.all(
    bundles.map(async (bundle): Promise<[string, string]> => {
      if (!existsSync(bundle)) throw new Error(`there is no ${bundle}`)
      const name = /(\w+)\.bundle$/.exec(bundle)![1]!
      const repo = join(home, `${name}.git`)
      await execa('git', ['clone', '--quiet', '--bare', bundle, repo])
      return [name, repo]
    }),
  )
}

for (const [corpus, repo] of await corpora()) {
  for (const engine of SCALE ? ['postgres'] : ['postgres', 'pglite']) {
    const { ...figures } = await row(corpus, engine, repo)
    console.table({ [`${corpus}, ${engine}`]: figures })
  }
}
await admin.end()
await server.stop()
rmSync(home, { recursive: true, force: true })
