import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Address, parseAddress } from './address.ts'
import { fetchError, notAGitServer, refNotFound } from './errors.ts'
import { removeLeftovers } from './leftovers.ts'
import type { Origin } from './origin.ts'
import { COMMIT_ID, missingObjects, resolveRef, validateRef } from './refs.ts'
import { type RemoteGit, remoteGit } from './remote-git.ts'
import { localGit } from './run-git.ts'

/** Where a fetch puts the commit, so that git keeps what belongs to it. */
const TARGET = 'refs/tidemark/target'

/** Each fetch leaves a pack, and git looks into all of them; past that many a new clone costs less than they do. */
const MAX_PACKS = 64

const FETCH_FLAGS = ['--quiet', '--no-tags', '--no-write-fetch-head', '--no-auto-gc', '--filter=blob:none']

/**
 * A repository on a server. What is needed of it is kept in a bare clone of ours: one commit deep, and without
 * blobs where the server allows that, because most runs want few of them. git knows that the clone is partial only
 * when it fetches: reading it, git would fetch each missing object by a connection of its own.
 *
 * @param clone folder of that clone; made when it is first needed. Only the holder of the source's lease opens it.
 */
export function remoteOrigin(repo: string, ref: string, clone: string): Origin {
  const server = parseAddress(repo)!
  const git = remoteGit(server)
  let found: RemoteRef | undefined
  const resolveCommit = async (signal: AbortSignal) => {
    found = await resolveRemoteRef(server, git, ref, signal)
    return found.commit
  }
  const fetch = async (signal: AbortSignal) => {
    if (found === undefined) await resolveCommit(signal)
    await fetchCommit(server, git, clone, found!, signal)
  }
  return {
    phase: 'fetch',
    resolveCommit,
    async prepare(signal) {
      try {
        await fetch(signal)
      } catch (error) {
        signal.throwIfAborted()
        if (!(error as { code?: string }).code?.startsWith('GIT_')) throw error
        // Not the server's fault: perhaps the clone is damaged, or of another object format; nothing in it can't be had again.
        await rm(clone, { recursive: true, force: true })
        await fetch(signal)
      }
      return { folder: clone, commit: await resolveRef(clone, TARGET, signal, { ref, where: server.url }) }
    },
    async fetchBlobs(oids, signal) {
      const missing = await missingObjects(clone, oids, signal)
      if (missing.length === 0) return
      await runFetch(git, clone, ['--stdin', 'tidemark'], signal, missing)
    },
  }
}

interface RemoteRef {
  /** Its full name. */
  readonly name: string
  readonly commit: string
}

/** What a name may be short for, in git's own order: tags before branches. */
function fullNames(ref: string): string[] {
  if (ref === '@') return ['HEAD']
  return ['', 'refs/', 'refs/tags/', 'refs/heads/', 'refs/remotes/'].map((prefix) => `${prefix}${ref}`)
}

async function resolveRemoteRef(server: Address, git: RemoteGit, ref: string, signal: AbortSignal): Promise<RemoteRef> {
  validateRef(ref, server.url)
  if (COMMIT_ID.test(ref)) return { name: ref.toLowerCase(), commit: ref.toLowerCase() }
  const names = fullNames(ref)
  // As patterns they are those of all of the names: what ends in one counts.
  const refs = await listRemoteRefs(git, [names[0]!, `${names[0]}^{}`], signal)
  const name = names.find((each) => refs.has(each))
  if (name !== undefined) return { name, commit: refs.get(`${name}^{}`) ?? refs.get(name)! }
  const all = await listRemoteRefs(git, ['refs/heads/*', 'refs/tags/*'], signal)
  if (all.size === 0 && !(await speaksGit(git, signal))) throw notAGitServer(server)
  const known = [...all.keys()].filter((each) => !each.endsWith('^{}'))
  const short = known.map((each) => each.replace(/^refs\/(heads|tags)\//, ''))
  throw refNotFound(server.url, ref, short, await readDefaultBranch(git, signal))
}

/** The branch that a clone would have; null where the server does not say. */
async function readDefaultBranch(git: RemoteGit, signal: AbortSignal): Promise<string | null> {
  const { stdout } = await git('/', ['ls-remote', '--quiet', '--symref', 'tidemark', 'HEAD'], signal)
  return /^ref: refs\/heads\/(\S+)\tHEAD$/m.exec(stdout)?.[1] ?? null
}

/** Whether a server that names no ref is one of git; what git finds none in may as well be any page of the web. */
async function speaksGit(git: RemoteGit, signal: AbortSignal): Promise<boolean> {
  const { stderr } = await git('/', ['ls-remote', 'tidemark'], signal, { trace: 'PACKET' })
  return /packet: .*</.test(stderr)
}

async function listRemoteRefs(git: RemoteGit, patterns: string[], signal: AbortSignal) {
  const { stdout } = await git('/', ['ls-remote', '--quiet', 'tidemark', ...patterns], signal)
  const refs = stdout.split('\n').filter(Boolean)
  return new Map(refs.map((line) => [line.slice(line.indexOf('\t') + 1), line.slice(0, line.indexOf('\t'))]))
}

async function fetchCommit(
  server: Address,
  git: RemoteGit,
  clone: string,
  { name, commit }: RemoteRef,
  signal: AbortSignal,
): Promise<void> {
  try {
    // Of a run that was killed.
    await removeLeftovers(clone)
    const packs = await countPacks(clone)
    if (packs === null || packs > MAX_PACKS) {
      await rm(clone, { recursive: true, force: true })
      // It may hold what only this user can read on the server.
      await mkdir(clone, { recursive: true, mode: 0o700 })
      const format = commit.length === 64 ? 'sha256' : 'sha1'
      await localGit(clone, ['init', '--bare', `--object-format=${format}`, '.'], signal)
    }
  } catch (error) {
    signal.throwIfAborted()
    throw fetchError(error, server)
  }
  await runFetch(git, clone, ['--depth=1', 'tidemark', `+${name}:${TARGET}`], signal)
}

/** Fetches into the clone; what a fetch that fails has written by then would stay for ever, and a full disk full. */
async function runFetch(
  git: RemoteGit,
  clone: string,
  args: readonly string[],
  signal: AbortSignal,
  input?: readonly string[],
): Promise<void> {
  // The objects that are asked for by name leave nothing to negotiate: without "noop" git would offer all that it has.
  const negotiation = input ? ['-c', 'fetch.negotiationAlgorithm=noop'] : []
  try {
    await git(clone, [...negotiation, 'fetch', ...FETCH_FLAGS, ...args], signal, { input })
  } catch (error) {
    await removeLeftovers(clone)
    throw error
  }
}

/** How many packs a clone has; null where there is no clone. */
async function countPacks(clone: string): Promise<number | null> {
  try {
    const files = await readdir(join(clone, 'objects', 'pack'))
    return files.filter((file) => file.endsWith('.pack')).length
  } catch {
    return null
  }
}
