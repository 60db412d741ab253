import { isolatedGit } from '@tidemark/test-engines/git'
import type { TestRepository } from './test-repository.ts'

/** An entry of a tree as no git would write it; an array is a folder, a string or bytes the content of a file. */
export interface RawEntry {
  readonly name: string
  readonly mode?: string
  readonly content?: string | readonly RawEntry[]
  /** In the place of what a content would have. */
  readonly oid?: string
}

/** Writes an object whatever git thinks of it. */
export function writeObject({ folder }: TestRepository, type: string, content: Buffer | string): Promise<string> {
  const git = isolatedGit(folder, Buffer.from(content))
  return git.raw('hash-object', '-t', type, '--literally', '-w', '--stdin')
}

/** Writes a tree of exactly these entries, in this order. @param tail bytes behind them */
export async function writeTree(repository: TestRepository, entries: readonly RawEntry[], tail = ''): Promise<string> {
  const records: Buffer[] = []
  for (const { name, mode, content = name, oid } of entries) {
    const isFile = typeof content === 'string'
    const id = oid ?? (await (isFile ? writeObject(repository, 'blob', content) : writeTree(repository, content)))
    records.push(Buffer.from(`${mode ?? (isFile ? '100644' : '40000')} ${name}\0`), Buffer.from(id, 'hex'))
  }
  return writeObject(repository, 'tree', Buffer.concat([...records, Buffer.from(tail)]))
}

/** Points the branch `main` at a commit of that object, whatever its type. */
export async function commitTree(repository: TestRepository, tree: string): Promise<string> {
  const who = 'someone <someone@example.org> 1 +0000'
  const text = `tree ${tree}\nauthor ${who}\ncommitter ${who}\n\nhostile\n`
  const commit = await writeObject(repository, 'commit', text)
  await repository.git.raw('update-ref', 'refs/heads/main', commit)
  return commit
}
