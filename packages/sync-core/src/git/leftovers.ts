import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Locks that a killed git leaves, which would stop every later one. */
const LOCKS = ['shallow.lock', 'config.lock', 'packed-refs.lock', 'HEAD.lock', 'refs/tidemark/target.lock']

/**
 * Removes what a fetch that did not end well has left in a clone of ours, and git itself never would: its locks, and
 * packs that it was still writing, which may be as large as the repository. Only who alone fetches into it may.
 */
export async function removeLeftovers(clone: string): Promise<void> {
  const packs = join(clone, 'objects', 'pack')
  const names = await readdir(packs).catch(() => [])
  const present = new Set(names)
  const unfinished = names.filter((name) => /^\.?tmp[_-]/.test(name) || isOrphan(name, present))
  const left = [...LOCKS.map((lock) => join(clone, lock)), ...unfinished.map((name) => join(packs, name))]
  await Promise.all(left.map((file) => rm(file, { force: true })))
}

/** The index of a pack comes last: without it git does not know the pack, or what else belongs to it. */
function isOrphan(name: string, present: ReadonlySet<string>): boolean {
  const [, pack, ending] = /^(pack-.+)\.(\w+)$/.exec(name) ?? []
  return pack !== undefined && ending !== 'idx' && !present.has(`${pack}.idx`)
}
