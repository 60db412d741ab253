import { join } from 'node:path'
import { execa } from 'execa'
import { bundleOf, type Corpus } from '../sources/words.ts'

/** A bare clone of a corpus, or of the first of its pages by path. @returns its folder. */
export async function cloneOf(corpus: Corpus, home: string, pages = Number.POSITIVE_INFINITY) {
  const repo = join(home, `${corpus}-${pages}.git`)
  await execa('git', ['clone', '--quiet', '--bare', bundleOf(corpus), repo])
  if (pages < Number.POSITIVE_INFINITY) {
    const first = (await markdownOf(repo)).slice(0, pages)
    await commit(repo, null, first.map(({ path, blob }) => `M 100644 ${blob} "${path}"\n`).join(''))
  }
  return repo
}

/** Commits a change of so many files, spread over the repository. */
export async function changeFiles(repo: string, files: number): Promise<void> {
  const all = await markdownOf(repo)
  const step = Math.max(1, Math.floor(all.length / files))
  const chosen = all.filter((_, n) => n % step === 0).slice(0, files)
  const edits = chosen.map(({ path, blob }) => {
    const text = `# Changed\n\nIt was ${blob}.\n`
    return `M 100644 inline "${path}"\ndata ${Buffer.byteLength(text)}\n${text}`
  })
  await commit(repo, 'refs/heads/main^0', edits.join(''))
}

/** Those whose paths need no quoting. */
async function markdownOf(repo: string) {
  const { stdout } = await execa('git', ['-C', repo, 'ls-tree', '-r', 'main'], { maxBuffer: 1 << 28 })
  return [...stdout.matchAll(/^100644 blob (\w+)\t([\w/.-]+\.md)$/gm)].map(([, blob, path]) => ({
    blob: blob!,
    path: path!,
  }))
}

/** By git-fast-import(1): no work tree, no index. */
async function commit(repo: string, from: string | null, changes: string): Promise<void> {
  const input = `commit refs/heads/main
committer B <b@example.org> 1767225600 +0000
data 6
change
${from ? `from ${from}\n` : ''}${changes}done\n`
  await execa('git', ['-C', repo, 'fast-import', '--quiet', '--force', '--done'], { input })
}
