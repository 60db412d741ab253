import { pathToFileURL } from 'node:url'
import { isolatedGit } from '@tidemark/test-engines/git'
import { serveGit } from '@tidemark/test-engines/git-server'
import { type Corpus, listMarkdown } from '../harness/corpus.ts'
import { generateSource } from '../harness/generate-source.ts'
import { moveMain } from '../harness/git.ts'
import type { FaultedRun } from './plan-wave.ts'

/** A source whose ref moves, and what it has named so far. */
export type MovingSource = Awaited<ReturnType<typeof createMovingSource>>

const CORPORA: readonly Corpus[] = ['book', 'vite', 'tldr', 'rfcs']
const COMMITS = 12

/** The `n`th source: of one of four kinds and of one of four sizes. */
export async function createMovingSource(n: number, seed: number, home: string) {
  const pages = [120, 60, 240, 160][n % 4]!
  const shape = { id: `source-${n}`, corpus: CORPORA[n % 4]!, pages, sections: 2 }
  // So many that a run has several batches, so few that a way back deletes less than half.
  const changes = Array.from({ length: COMMITS }, (_, i) => Math.round((pages * (2 + (i % 3))) / 12))
  const { id, folder, commits } = await generateSource(shape, { changes, seed: seed + n, home })
  const server = n % 2 === 1 ? await serveGit(folder) : null
  const positions = [commits[0]!]
  let index = 0
  return {
    id,
    folder,
    /** As a run is given it: a path, a `file://` address or one of a server. */
    repo: server?.url ?? (n % 4 === 0 ? folder : pathToFileURL(folder).href),
    server,
    /** Every commit that the ref has named, in that order; the last one is where it is. */
    positions: positions as readonly string[],
    async move({ move, commits: by }: Pick<FaultedRun, 'move' | 'commits'>): Promise<void> {
      if (move === 'stay') return
      const step = move === 'backwards' ? -by : by
      // At either end of the history it turns round.
      if (move !== 'undone') index = commits[index + step] === undefined ? index - step : index + step
      let commit = move === 'undone' ? positions.at(-2)! : commits[index]!
      // As after a rebase: the same files in a commit that nothing known leads to.
      const rewrite = ['commit-tree', `${commit}^{tree}`, '-m', `rewritten ${positions.length}`]
      if (move === 'rewritten') commit = await isolatedGit(folder).raw(...rewrite)
      await moveMain(folder, commit)
      positions.push(commit)
    },
    /** The Markdown files of a commit, `path → blob`. */
    async files(commit: string): Promise<ReadonlyMap<string, string>> {
      return new Map((await listMarkdown(folder, commit)).map(({ path, blob }) => [path, blob]))
    },
    async [Symbol.asyncDispose]() {
      await server?.close()
    },
  }
}
