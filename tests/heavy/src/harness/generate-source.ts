import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { seededRandom } from '@tidemark/test-engines/seeded-random'
import { simpleGit } from 'simple-git'
import { type Corpus, readSections } from './corpus.ts'
import { gitIn, moveMain } from './git.ts'

export interface SourceShape {
  readonly id: string
  readonly corpus: Corpus
  /** Pages of the first commit. */
  readonly pages: number
  /** Sections to a page; each becomes at least one chunk. */
  readonly sections: number
}

export interface GeneratedSource {
  readonly id: string
  /** A bare repository that serves partial clones, its `main` at the first commit. */
  readonly folder: string
  /** The first commit, then one for each number of changed files that was asked for. */
  readonly commits: readonly string[]
}

/** Of a hundred changed files so many are new, gone, moved; the rest are edited. */
const [ADDED, DELETED, RENAMED] = [8, 4, 4]

/**
 * Makes a repository, and after its first commit one for each of `changes`, which touches so many files. The same seed
 * makes the same commits, byte for byte.
 */
export async function generateSource(
  shape: SourceShape,
  { changes, seed, home }: { changes: readonly number[]; seed: number; home: string },
): Promise<GeneratedSource> {
  const { id, corpus } = shape
  const folder = join(home, `${id}.git`)
  await simpleGit().raw('init', '--quiet', '--bare', '-b', 'main', folder)
  const git = gitIn(folder)
  for (const setting of ['allowFilter', 'allowAnySHA1InWant', 'allowTipSHA1InWant']) {
    await git.raw('config', `uploadpack.${setting}`, 'true')
  }
  const sections = await readSections(corpus)
  const args = ['-C', folder, '-c', 'core.compression=1', 'fast-import', '--quiet', '--depth=0']
  const importing = spawn('git', args, { stdio: ['pipe', 'ignore', 'inherit'] })
  const exited = once(importing, 'exit')
  await pipeline(Readable.from(writeHistory(shape, changes, sections, seededRandom(seed))), importing.stdin)
  const [code] = await exited
  if (code !== 0) throw new Error(`git fast-import of ${id} exited with ${code}`)
  const commits = (await git.raw('rev-list', '--reverse', '--first-parent', 'history')).split('\n')
  await moveMain(folder, commits[0]!)
  return { id, folder, commits }
}

/** What `git fast-import` reads (git-fast-import(1)). */
function* writeHistory(
  { id, pages, sections }: SourceShape,
  changes: readonly number[],
  texts: readonly string[],
  random: () => number,
): Generator<string> {
  const pick = (size: number) => Math.floor(random() * size)
  let pagesMade = 0
  let commits = 0
  const paths: string[] = []
  const write = (path: string) => {
    const title = `${id} ${path.slice(path.lastIndexOf('/') + 1, -3)} ${pick(1e6)}`
    const parts = Array.from({ length: sections }, () => texts[pick(texts.length)]!)
    const link = paths.length === 0 ? '' : `\n\nSee also [another page](/${paths[pick(paths.length)]}).`
    const content = `---\ntitle: ${title}\n---\n\n# ${title}\n\n${parts.join('\n\n')}${link}\n`
    return `M 100644 inline ${path}\ndata ${Buffer.byteLength(content)}\n${content}\n`
  }
  const add = () => {
    const n = pagesMade++
    const path = `d${n % 40}/s${n % 7}/page-${n}.md`
    const record = write(path)
    paths.push(path)
    return record
  }
  const begin = () =>
    `commit refs/heads/history\nmark :${++commits}\ncommitter T <t@example.org> ${1_767_225_600 + commits} +0000\ndata 6\nchange\n${commits > 1 ? `from :${commits - 1}\n` : ''}`

  yield begin()
  for (let n = 0; n < pages; n++) yield add()
  for (const files of changes) {
    yield begin()
    const touched = new Set<string>()
    for (let n = 0; n < files; n++) {
      const index = pick(paths.length)
      const path = paths[index]!
      const kind = random() * 100
      // A file that this commit has touched is not touched again, but a new one takes its place.
      if (kind < ADDED || touched.has(path)) {
        yield add()
        touched.add(paths.at(-1)!)
      } else if (kind < ADDED + DELETED) {
        paths.splice(index, 1)
        yield `D ${path}\n`
      } else if (kind < ADDED + DELETED + RENAMED) {
        const to = path.replace(/[^/]+$/, `moved-${pagesMade++}.md`)
        paths[index] = to
        touched.add(to)
        yield `R ${path} ${to}\n`
      } else {
        touched.add(path)
        yield write(path)
      }
    }
  }
}
