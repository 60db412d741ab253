import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** A real git repository in a temporary folder, whose commits a test makes from plain objects. */
export interface TestRepository {
  readonly folder: string
  /** Makes the tree of the next commit hold exactly these files. */
  commit(files: Readonly<Record<string, string | Buffer>>): string
  git(...args: string[]): string
  /** Puts a file into the index only, whatever its path; `commitIndex` makes a commit of that. */
  add(path: string | Buffer, content: string | Buffer): string
  commitIndex(): string
  /** The Markdown files of a commit as `git ls-tree` tells them, `path → blob`. */
  tree(commit?: string): Record<string, string>
  remove(): void
}

const ENV = {
  ...process.env,
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
  GIT_AUTHOR_NAME: 'A',
  GIT_AUTHOR_EMAIL: 'a@example.org',
  GIT_COMMITTER_NAME: 'A',
  GIT_COMMITTER_EMAIL: 'a@example.org',
  GIT_AUTHOR_DATE: '2026-01-01T00:00:00Z',
  GIT_COMMITTER_DATE: '2026-01-01T00:00:00Z',
}

export function emptyRepository(): TestRepository {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-repo-'))
  execFileSync('git', ['init', '-q', '-b', 'main', folder], { env: ENV })
  return repositoryIn(folder)
}

/** A bare clone of a bundle. */
export function cloneOf(bundle: string): TestRepository {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-repo-'))
  execFileSync('git', ['clone', '-q', '--bare', bundle, folder], { env: ENV })
  return repositoryIn(folder)
}

function repositoryIn(folder: string): TestRepository {
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', folder, ...args], { env: ENV, encoding: 'utf8', maxBuffer: 1 << 28 })
  return {
    folder,
    git,
    commit(files) {
      git('rm', '-rfq', '--ignore-unmatch', '.')
      for (const [path, content] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, path)), { recursive: true })
        writeFileSync(join(folder, path), content)
      }
      git('add', '-A')
      git('commit', '-q', '--allow-empty', '-m', 'change')
      return git('rev-parse', 'HEAD').trim()
    },
    add(path, content) {
      const input = typeof content === 'string' ? Buffer.from(content) : content
      const blob = execFileSync('git', ['-C', folder, 'hash-object', '-w', '--stdin'], { env: ENV, input })
        .toString()
        .trim()
      const record = Buffer.concat([Buffer.from(`100644 ${blob}\t`), Buffer.from(path), Buffer.from([0])])
      execFileSync('git', ['-C', folder, 'update-index', '-z', '--index-info'], { env: ENV, input: record })
      return blob
    },
    commitIndex() {
      git('commit', '-q', '--allow-empty', '-m', 'change')
      return git('rev-parse', 'HEAD').trim()
    },
    tree(commit = 'HEAD') {
      const records = git('ls-tree', '-r', '-z', '--full-tree', commit).split('\0').filter(Boolean)
      const entries = records.map((record) => {
        const tab = record.indexOf('\t')
        const head = record.slice(0, tab)
        return { path: record.slice(tab + 1), mode: head.slice(0, 6), blob: head.split(' ')[2]! }
      })
      const files = entries.filter(({ path, mode }) => mode.startsWith('100') && /\.(md|markdown)$/i.test(path))
      return Object.fromEntries(files.map(({ path, blob }) => [path, blob]))
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
