import { pathToFileURL } from 'node:url'
import { type GitServer, serveGit } from '@tidemark/test-engines/git-server'
import { execa } from 'execa'
import { generateSource } from '../sources/generate.ts'
import type { Corpus } from '../sources/words.ts'
import type { Move } from './plan-wave.ts'

/** A source whose ref moves, and what it has named so far. */
export interface MovingSource extends AsyncDisposable {
  readonly id: string
  /** As a run is told it: a path, a `file://` address or one of a server. */
  readonly repo: string
  readonly server: GitServer | null
  /** Every commit that the ref has named, in that order; the last one is where it is. */
  readonly positions: readonly string[]
  move(move: Move): Promise<void>
  /** The Markdown files of a commit, `path → blob`. */
  tree(commit: string): Promise<ReadonlyMap<string, string>>
}

const CORPORA: readonly Corpus[] = ['book', 'vite', 'tldr', 'rfcs']
const COMMITS = 12

/** The `n`th source: of one of four kinds and of one of four sizes. */
export async function movingSource(n: number, seed: number, home: string): Promise<MovingSource> {
  const pages = [120, 60, 240, 160][n % 4]!
  const shape = { id: `source-${n}`, corpus: CORPORA[n % 4]!, pages, sections: 2 }
  // So many that a run has several batches, so few that a way back deletes less than half.
  const changes = Array.from({ length: COMMITS }, (_, i) => Math.round((pages * (2 + (i % 3))) / 12))
  const { id, folder, commits } = await generateSource(shape, { changes, seed: seed + n, home })
  const server = n % 2 === 1 ? await serveGit(folder) : null
  const git = async (...args: string[]) => (await execa('git', ['-C', folder, ...args], { env: AUTHOR })).stdout
  const positions = [commits[0]!]
  const trees = new Map<string, Promise<ReadonlyMap<string, string>>>()
  let at = 0

  return {
    id,
    repo: server?.url ?? (n % 4 === 0 ? folder : pathToFileURL(folder).href),
    server,
    positions,
    async move({ kind, commits: by }) {
      if (kind === 'stay') return
      const step = kind === 'backwards' ? -by : by
      // At either end of the history it turns round.
      at = commits[at + step] === undefined ? at - step : at + step
      let commit = commits[at]!
      if (kind === 'rewritten') {
        // As after a rebase: the same files in a commit that nothing known leads to.
        commit = await git('commit-tree', `${commit}^{tree}`, '-m', `rewritten ${positions.length}`)
      }
      await git('update-ref', 'refs/heads/main', commit)
      positions.push(commit)
    },
    tree(commit) {
      if (!trees.has(commit)) trees.set(commit, git('ls-tree', '-r', '-z', commit).then(markdownOf))
      return trees.get(commit)!
    },
    async [Symbol.asyncDispose]() {
      await server?.close()
    },
  }
}

const AUTHOR = {
  GIT_AUTHOR_NAME: 'T',
  GIT_AUTHOR_EMAIL: 't@example.org',
  GIT_AUTHOR_DATE: '1767225600 +0000',
  GIT_COMMITTER_NAME: 'T',
  GIT_COMMITTER_EMAIL: 't@example.org',
  GIT_COMMITTER_DATE: '1767225600 +0000',
}

function markdownOf(listed: string): ReadonlyMap<string, string> {
  const entries = listed.split('\0').filter((line) => line.endsWith('.md'))
  return new Map(
    entries.map((line) => {
      const [head = '', path = ''] = line.split('\t')
      return [path, head.split(' ')[2]!]
    }),
  )
}
