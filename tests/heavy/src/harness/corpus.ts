import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { simpleGit } from 'simple-git'
import { gitIn } from './git.ts'

const DEMO = fileURLToPath(new URL('../../../../demo/vite.bundle', import.meta.url))

/** Real repositories, as bundles in the folder that `TIDEMARK_CORPORA` names; else the demonstration's for each. */
export type Corpus = 'vite' | 'book' | 'rfcs' | 'tldr' | 'zola' | 'logseq' | 'vue-zh' | 'astro'

/** A bare clone of a corpus. */
export async function cloneCorpus(corpus: Corpus, repo: string): Promise<void> {
  const bundle = join(process.env.TIDEMARK_CORPORA ?? '', `${corpus}.bundle`)
  await simpleGit().clone(existsSync(bundle) ? bundle : DEMO, repo, ['--quiet', '--bare'])
}

/** Commits a change of so many files, spread over the repository, by git-fast-import(1): no work tree, no index. */
export async function changeFiles(repo: string, files: number): Promise<void> {
  const all = await listMarkdown(repo)
  const edits = sample(all, files).map(({ path, blob }) => {
    const text = `# Changed\n\nIt was ${blob}.\n`
    return `M 100644 inline "${path}"\ndata ${Buffer.byteLength(text)}\n${text}`
  })
  const input = `commit refs/heads/main
committer B <b@example.org> 1767225600 +0000
data 6
change
from refs/heads/main^0
${edits.join('')}done\n`
  await simpleGit(repo, { input: () => input }).raw('fast-import', '--quiet', '--force', '--done')
}

/** Sections of the Markdown files of a corpus, each whole, from enough files to be as varied as it is. */
export async function readSections(corpus: Corpus): Promise<readonly string[]> {
  const home = await mkdtemp(join(tmpdir(), 'tidemark-corpus-'))
  try {
    await cloneCorpus(corpus, join(home, 'repo'))
    const chosen = sample(await listMarkdown(join(home, 'repo')), 300)
    const text = await gitIn(join(home, 'repo')).raw('show', ...chosen.map(({ blob }) => blob))
    const sections = text.split(/\n(?=#{1,4} )/).map((section) => section.trim())
    return sections.filter((section) => section.length > 40 && section.length < 4_000)
  } finally {
    await rm(home, { recursive: true })
  }
}

/** So many of them, evenly apart. */
function sample<T>(all: readonly T[], count: number): T[] {
  const step = Math.max(1, Math.floor(all.length / count))
  return all.filter((_, i) => i % step === 0).slice(0, count)
}

/** The Markdown files of a commit, those whose paths need no quoting. */
export async function listMarkdown(repo: string, commit = 'main') {
  const listed = await gitIn(repo).raw('ls-tree', '-r', commit)
  const matches = listed.matchAll(/^100644 blob (\w+)\t([\w/.-]+\.md)$/gm)
  return [...matches].map(([, blob, path]) => ({ blob: blob!, path: path! }))
}
