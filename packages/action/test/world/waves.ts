import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createGitHub, type Run, type RunOptions, type RunResult } from '../runner/github.ts'
import { type ActionWorld, actionWorld } from './action-world.ts'
import { PACKAGE, ROOT } from './runner.ts'

const CALLER = 'me/mirror'
const EXAMPLE = 'examples/github-action/.github/workflows/mirror.yml'

type Wave = Partial<Pick<RunOptions, 'workflow' | 'event' | 'inputs' | 'secrets'>>

/** A repository with the example's workflow on a GitHub that has the Action as it is released, and a database. */
export interface WavesWorld extends Omit<ActionWorld, 'start'> {
  /** Starts the workflow as the schedule does, with the secrets that the example names. */
  start(wave?: Wave): Run
  wave(wave?: Wave): Promise<RunResult>
  /** Writes another workflow of the repository. @returns its path */
  workflow(text: string): string
  /** The names of sources that have a page which no search finds, or no page yet. */
  unindexed(): Promise<string[]>
}

export async function wavesWorld(): Promise<WavesWorld> {
  const world = await actionWorld()
  const caller = join(world.folder, 'caller')
  const example = readFileSync(join(ROOT, EXAMPLE), 'utf8')
  const mirror = writeWorkflow(caller, 'mirror.yml', example)
  const [, released] = /uses: ([^/]+\/[^/]+)\/\.github\/workflows\/sync\.yml@/.exec(example)!
  const repositories = { [CALLER]: caller, [released!]: layOutRelease(join(world.folder, 'released')) }
  const github = createGitHub({ repositories })
  const secrets = { DATABASE_URL: world.database, DOCS_READ_TOKEN: 'token-for-docs' }
  const start = (wave: Wave = {}) =>
    github.start({ repository: CALLER, workflow: mirror, event: 'schedule', secrets, ...wave })
  return {
    ...world,
    start,
    wave: (wave) => start(wave).ended,
    workflow: (text) => writeWorkflow(caller, 'other.yml', text),
    configure(sources, embedding) {
      const text = JSON.stringify({ sources, embedding })
      // A job has it in a work tree of its own, from where no path of this folder leads anywhere.
      writeFileSync(join(caller, 'tidemark.yaml'), text.replaceAll('"./', `"${world.folder}/`))
    },
    async unindexed() {
      const sql = 'SELECT id FROM tidemark.sources WHERE unindexed_since_run IS NOT NULL ORDER BY id'
      return (await world.pool.query(sql)).rows.map(({ id }) => id)
    },
  }
}

function writeWorkflow(repository: string, name: string, text: string): string {
  const file = `.github/workflows/${name}`
  mkdirSync(dirname(join(repository, file)), { recursive: true })
  writeFileSync(join(repository, file), text)
  return file
}

/** Lays the Action out as its tag has it. */
function layOutRelease(folder: string): string {
  mkdirSync(join(folder, '.github/workflows'), { recursive: true })
  for (const name of readdirSync(PACKAGE)) symlinkSync(join(PACKAGE, name), join(folder, name))
  cpSync(join(ROOT, '.github/workflows/sync.yml'), join(folder, '.github/workflows/sync.yml'))
  return folder
}
