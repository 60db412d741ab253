import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { commitAll, isolatedGit, type SimpleGit } from '@tidemark/test-engines/git'

/** A real git repository in a temporary folder, whose commits a test makes from plain objects. */
export interface TestRepository {
  readonly folder: string
  readonly git: SimpleGit
  /** Makes the tree of the next commit hold exactly these files. */
  commit(files: Readonly<Record<string, string | Buffer>>): Promise<string>
  /** Puts a file into the index only, whatever its path; `commitStaged` makes a commit of that. */
  add(path: string | Buffer, content: string | Buffer): Promise<string>
  commitStaged(): Promise<string>
  /** The Markdown files of a commit as `git ls-tree` tells them, `path → blob`. */
  tree(commit?: string): Promise<Record<string, string>>
  remove(): void
}

export async function emptyRepository(objectFormat = 'sha1'): Promise<TestRepository> {
  const repository = repositoryIn(mkdtempSync(join(tmpdir(), 'tidemark-repo-')))
  await repository.git.init([`--object-format=${objectFormat}`])
  return repository
}

/** A bare clone of a bundle. */
export async function cloneBundle(bundle: string): Promise<TestRepository> {
  const repository = repositoryIn(mkdtempSync(join(tmpdir(), 'tidemark-repo-')))
  await repository.git.clone(bundle, '.', ['--bare'])
  return repository
}

function repositoryIn(folder: string): TestRepository {
  const git = isolatedGit(folder)
  return {
    folder,
    git,
    async commit(files) {
      for (const name of readdirSync(folder)) if (name !== '.git') rmSync(join(folder, name), { recursive: true })
      for (const [path, content] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, path)), { recursive: true })
        writeFileSync(join(folder, path), content)
      }
      return commitAll(git)
    },
    async add(path, content) {
      const blob = await isolatedGit(folder, Buffer.from(content)).raw('hash-object', '-w', '--stdin')
      const entry = Buffer.concat([Buffer.from(`100644 ${blob}\t`), Buffer.from(path), Buffer.alloc(1)])
      await isolatedGit(folder, entry).raw('update-index', '--verbose', '-z', '--index-info')
      return blob
    },
    commitStaged: async () => (await git.commit('change', { '--allow-empty': null })).commit,
    async tree(commit = 'HEAD') {
      const entries = (await git.raw('ls-tree', '-r', '-z', '--full-tree', commit)).split('\0')
      const files = entries.map((entry) => /^100... blob (\w+)\t(.*\.(?:md|markdown))$/is.exec(entry))
      return Object.fromEntries(files.filter((file) => file !== null).map(([, blob, path]) => [path, blob]))
    },
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }),
  }
}
