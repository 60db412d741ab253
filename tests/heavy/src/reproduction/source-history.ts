import { createHash } from 'node:crypto'
import { gitIn } from '../harness/git.ts'

/** What a repository has at each of its commits, by git alone: what pages are held against. */
export async function readHistory({ folder, commits }: { folder: string; commits: readonly string[] }) {
  const git = gitIn(folder)
  const log = await git.raw(
    'log',
    '--first-parent',
    '--reverse',
    '--format=%H',
    '--raw',
    '--no-abbrev',
    '--no-renames',
    'history',
  )
  /** For each path its blobs, each from the commit of that index on; null where it is gone. */
  const versions = new Map<string, { from: number; blob: string | null }[]>()
  let index = -1
  for (const line of log.split('\n')) {
    if (/^\w/.test(line)) index++
    const [, blob, kind, path] = /^:\S+ \S+ \S+ (\S+) (\w)\t(.+)$/.exec(line) ?? []
    if (!path) continue
    const own = versions.get(path) ?? []
    versions.set(path, own)
    own.push({ from: index, blob: kind === 'D' ? null : blob! })
  }

  /** Whether a path had this at one of the commits from one index to another; -1 is before the first. */
  function had(path: string, blob: string | null, from: number, to: number): boolean {
    const own = versions.get(path) ?? []
    const before = own.findLast((each) => each.from <= from)?.blob ?? null
    return before === blob || own.some((each) => each.from > from && each.from <= to && each.blob === blob)
  }

  return {
    indexOf: (commit: string | null) => (commit === null ? -1 : commits.indexOf(commit)),
    /** The paths at which pages are of none of these commits. */
    differences(pages: ReadonlyMap<string, string>, from: number, to = from): string[] {
      const paths = new Set([...versions.keys(), ...pages.keys()])
      return [...paths].filter((path) => !had(path, pages.get(path) ?? null, from, to))
    },
  }
}

/** What git calls a file with this text. */
export const blobId = (text: string) =>
  createHash('sha1')
    .update(`blob ${Buffer.byteLength(text)}\0${text}`)
    .digest('hex')
