import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { seededRandom } from '@tidemark/test-engines/seeded-random'
import { execa } from 'execa'
import type { Shape } from './shape.ts'
import { paragraphsOf } from './words.ts'

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
 * Makes a repository of so many pages, and after its first commit one for each of `changes`, which touches so many
 * files. The same seed makes the same commits, byte for byte.
 */
export async function generateSource(
  shape: Pick<Shape, 'id' | 'corpus' | 'pages' | 'sections'>,
  { changes, seed, home }: { changes: readonly number[]; seed: number; home: string },
): Promise<GeneratedSource> {
  const folder = join(home, `${shape.id}.git`)
  await execa('git', ['init', '--quiet', '--bare', '-b', 'main', folder])
  for (const setting of ['uploadpack.allowFilter', 'uploadpack.allowAnySHA1InWant', 'uploadpack.allowTipSHA1InWant']) {
    await execa('git', ['-C', folder, 'config', setting, 'true'])
  }
  const words = await paragraphsOf(shape.corpus)
  const importing = spawn('git', ['-C', folder, '-c', 'core.compression=1', 'fast-import', '--quiet', '--depth=0'], {
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  const exited = once(importing, 'exit')
  await pipeline(Readable.from(history(shape, changes, words, seededRandom(seed))), importing.stdin)
  const [code] = await exited
  if (code !== 0) throw new Error(`git fast-import of ${shape.id} ended with ${code}`)
  const { stdout } = await execa('git', ['-C', folder, 'rev-list', '--reverse', '--first-parent', 'history'])
  const commits = stdout.split('\n')
  await execa('git', ['-C', folder, 'update-ref', 'refs/heads/main', commits[0]!])
  return { id: shape.id, folder, commits }
}

/** What `git fast-import` reads (git-fast-import(1)). */
function* history(
  { id, pages, sections }: Pick<Shape, 'id' | 'pages' | 'sections'>,
  changes: readonly number[],
  words: readonly string[],
  random: () => number,
): Generator<string> {
  const pick = (size: number) => Math.floor(random() * size)
  let pagesMade = 0
  let commits = 0
  const paths: string[] = []
  const text = (title: string) => {
    const parts = Array.from({ length: sections }, () => words[pick(words.length)]!)
    const link = paths.length === 0 ? '' : `\n\nSee also [another page](/${paths[pick(paths.length)]}).`
    return `---\ntitle: ${title}\n---\n\n# ${title}\n\n${parts.join('\n\n')}${link}\n`
  }
  const write = (path: string) => {
    const content = text(`${id} ${path.slice(path.lastIndexOf('/') + 1, -3)} ${pick(1e6)}`)
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
      const at = pick(paths.length)
      const path = paths[at]!
      const kind = random() * 100
      // A file that this commit has touched is not touched again, but a new one takes its place.
      if (kind < ADDED || touched.has(path)) {
        yield add()
        touched.add(paths.at(-1)!)
      } else if (kind < ADDED + DELETED) {
        paths.splice(at, 1)
        yield `D ${path}\n`
      } else if (kind < ADDED + DELETED + RENAMED) {
        const to = path.replace(/[^/]+$/, `moved-${pagesMade++}.md`)
        paths[at] = to
        touched.add(to)
        yield `R ${path} ${to}\n`
      } else {
        touched.add(path)
        yield write(path)
      }
    }
  }
}
