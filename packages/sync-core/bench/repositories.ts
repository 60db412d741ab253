import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { execa } from 'execa'

const WHO = 'b <b@example.org> 1767225600 +0000'

/** Commits a change of so many files, without a work tree. */
export async function commitChange(repo: string, files: number, home: string): Promise<void> {
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

/** A bare repository of so many pages of about a kilobyte, in folders of a hundred. */
export async function madeUpRepository(pages: number, home: string): Promise<string> {
  const repo = join(home, 'made-up.git')
  await execa('git', ['init', '--quiet', '--bare', '-b', 'main', repo])
  const git = spawn('git', ['-C', repo, 'fast-import', '--quiet'], { stdio: ['pipe', 'ignore', 'inherit'] })
  const stream = function* () {
    yield `commit refs/heads/main\ncommitter ${WHO}\ndata 1\nx\n`
    for (let n = 0; n < pages; n++) {
      const text = `# Page ${n}\n\n${`Of page ${n} there is this to say, and a [link](../${n % 3700}/${n}.md). `.repeat(12)}\n`
      yield `M 100644 inline d${n % 37}/${n % 3700}/${n}.md\ndata ${Buffer.byteLength(text)}\n${text}\n`
    }
  }
  const ended = once(git, 'exit')
  await pipeline(Readable.from(stream()), git.stdin)
  await ended
  return repo
}
