import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pullTimeout } from '../run/outcome-from-error.ts'
import { type Address, parseAddress } from './address.ts'
import { fetchError, refNotFound } from './errors.ts'
import type { Origin } from './origin.ts'
import { missingObjects, resolveRef, validateRef } from './refs.ts'
import { localGit, startGit } from './run-git.ts'

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
  let name: string | undefined
  const resolveCommit = async (signal: AbortSignal) => {
    const found = await resolveRemoteRef(server, ref, signal)
    name = found.name
    return found.commit
  }
  const fetch = async (signal: AbortSignal) => {
    if (name === undefined) await resolveCommit(signal)
    await fetchCommit(server, clone, name!, signal)
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
        // Not the server's fault: perhaps the clone is damaged, and nothing in it can't be had again.
        await rm(clone, { recursive: true, force: true })
        await fetch(signal)
      }
      return { folder: clone, commit: await resolveRef(clone, TARGET, signal) }
    },
    async fetchBlobs(oids, signal) {
      const missing = await missingObjects(clone, oids, signal)
      if (missing.length === 0) return
      // The objects are named, so there is nothing to negotiate: without "noop" git would offer all that it has.
      const args = ['-c', 'fetch.negotiationAlgorithm=noop', 'fetch', ...FETCH_FLAGS, '--stdin', 'tidemark']
      await runRemoteGit(server, clone, args, signal, missing)
    },
  }
}

/** Runs a git that talks to the server to its end. @throws {SyncError}, {Stopped}, or the signal's reason. */
async function runRemoteGit(
  server: Address,
  folder: string,
  args: readonly string[],
  signal: AbortSignal,
  input?: readonly string[],
): Promise<string> {
  signal.throwIfAborted()
  try {
    const git = await startGit(folder, args, signal, { server, input })
    const output = await Array.fromAsync(git.output)
    await git.ended
    return Buffer.concat(output).toString()
  } catch (error) {
    throw signal.aborted ? pullTimeout(signal.reason) : fetchError(error, server)
  }
}

/** The full name of a ref on the server, and its commit. In git's own order: tags before branches. */
async function resolveRemoteRef(server: Address, ref: string, signal: AbortSignal) {
  validateRef(ref, server.url)
  if (/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(ref)) return { name: ref, commit: ref }
  const names = ref === 'HEAD' || ref.startsWith('refs/') ? [ref] : [`refs/tags/${ref}`, `refs/heads/${ref}`]
  const patterns = names.flatMap((name) => [name, `${name}^{}`])
  const refs = await listRemoteRefs(server, patterns, signal)
  const name = names.find((each) => refs.has(each))
  if (name !== undefined) return { name, commit: refs.get(`${name}^{}`) ?? refs.get(name)! }
  const all = await listRemoteRefs(server, ['refs/heads/*', 'refs/tags/*'], signal)
  const known = [...all.keys()].filter((each) => !each.endsWith('^{}'))
  const short = known.map((each) => each.replace(/^refs\/(heads|tags)\//, ''))
  throw refNotFound(server.url, ref, short)
}

async function listRemoteRefs(server: Address, patterns: string[], signal: AbortSignal) {
  const listed = await runRemoteGit(server, '/', ['ls-remote', '--quiet', 'tidemark', ...patterns], signal)
  const refs = listed.split('\n').filter(Boolean)
  return new Map(refs.map((line) => [line.slice(line.indexOf('\t') + 1), line.slice(0, line.indexOf('\t'))]))
}

async function fetchCommit(server: Address, clone: string, name: string, signal: AbortSignal): Promise<void> {
  const packs = await countPacks(clone)
  if (packs === null || packs > MAX_PACKS) {
    await rm(clone, { recursive: true, force: true })
    await mkdir(clone, { recursive: true })
    await localGit(clone, ['init', '--bare', '.'], signal)
  }
  // A killed fetch leaves these, and only the holder of the lease comes here.
  for (const left of ['shallow.lock', 'config.lock', 'packed-refs.lock', `${TARGET}.lock`]) {
    await rm(join(clone, left), { force: true })
  }
  const args = ['fetch', ...FETCH_FLAGS, '--depth=1', 'tidemark', `+${name}:${TARGET}`]
  await runRemoteGit(server, clone, args, signal)
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
