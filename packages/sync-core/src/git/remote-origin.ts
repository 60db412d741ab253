import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type Address, parseAddress } from './address.ts'
import { explainFetch } from './explain-fetch.ts'
import { type GitSettings, git } from './git.ts'
import { inPieces } from './in-pieces.ts'
import type { Origin } from './origin.ts'
import { checkRef, noSuchRef, type Repository, resolveRef } from './repository.ts'

/** Where a fetch puts the commit, so that git keeps what belongs to it. */
const TARGET = 'refs/tidemark/target'

/** Each fetch leaves a pack, and git looks into all of them; past that many a new clone costs less than they do. */
const MOST_PACKS = 64

/** The reason of a signal that aborted while a server was being waited for. */
export class StoppedInFetch extends Error {
  override readonly name = 'StoppedInFetch'
}

/**
 * A repository on a server. What is needed of it is kept in a bare clone of ours: one commit deep, and without
 * blobs where the server allows that, because most runs want few of them.
 *
 * That the clone is partial is told to git only when it fetches. Whatever reads the clone takes it for a whole one
 * and is told of a missing object that it is missing; git would fetch each by a connection of its own.
 *
 * @param clone folder of that clone; made when it is first needed. Only the holder of the source's lease opens it.
 */
export function remoteOrigin(repo: string, ref: string, clone: string): Origin {
  const address = parseAddress(repo)!
  const server: Server = { address, settings: settingsFor(address) }
  const repository: Repository = { folder: clone }
  let name: string | undefined
  const head = async (signal: AbortSignal) => {
    const found = await findRef(server, ref, signal)
    name = found.name
    return found.commit
  }
  const fetch = async (signal: AbortSignal) => {
    if (name === undefined) await head(signal)
    await fetchInto(clone, name!, server, signal)
  }
  return {
    phase: 'fetch',
    head,
    async open(signal) {
      try {
        await fetch(signal)
      } catch (error) {
        signal.throwIfAborted()
        if (!(error as { code?: string }).code?.startsWith('GIT_')) throw error
        // Not the server's fault: perhaps the clone is damaged, and nothing in it can't be had again.
        await rm(clone, { recursive: true, force: true })
        await fetch(signal)
      }
      return { repository, commit: await resolveRef(repository, TARGET, signal) }
    },
    async bring(oids, signal) {
      const missing = await missingOf(repository, oids, signal)
      if (missing.length === 0) return
      // The objects are named, so there is nothing to negotiate: without "noop" git would offer all that it has.
      const args = ['-c', 'fetch.negotiationAlgorithm=noop', 'fetch', ...QUIET, '--stdin', 'tidemark']
      await ask(server, clone, args, signal, Readable.from(inPieces(lines(missing))))
    },
  }
}

interface Server {
  readonly address: Address
  readonly settings: GitSettings
}

const QUIET = ['--quiet', '--no-tags', '--no-write-fetch-head', '--no-auto-gc', '--filter=blob:none']

/** Runs a git that talks to the server. @throws {SyncError} or {StoppedInFetch} */
async function ask(
  { address, settings }: Server,
  folder: string,
  args: readonly string[],
  signal: AbortSignal,
  input?: Readable,
): Promise<string> {
  signal.throwIfAborted()
  try {
    return await git(folder, args, signal, { ...settings, ...(input && { input }) })
  } catch (error) {
    throw signal.aborted
      ? new StoppedInFetch('a fetch was stopped', { cause: signal.reason })
      : explainFetch(error, address)
  }
}

/**
 * The address and its password as configuration in the environment: an argument could be read by every user of the
 * machine, a file would outlive the run.
 */
function settingsFor({ url, username, password }: Address): GitSettings {
  const config: [string, string][] = [
    ['remote.tidemark.url', url],
    ['remote.tidemark.promisor', 'true'],
    ['remote.tidemark.partialclonefilter', 'blob:none'],
    // One pack a fetch, however few objects it brings, so that there is one thing to count.
    ['fetch.unpackLimit', '1'],
  ]
  const secrets: Record<string, string> = {}
  if (username !== null) config.push(['credential.username', username])
  if (password !== null) {
    secrets.TIDEMARK_GIT_PASSWORD = password
    // An empty helper first: those of the user are not to keep it.
    config.push(['credential.helper', ''], ['credential.helper', '!printf "password=%s\\n" "$TIDEMARK_GIT_PASSWORD" #'])
  }
  return { config, secrets, online: true }
}

/** The full name of a ref on the server, and its commit. In git's own order: tags before branches. */
async function findRef(server: Server, ref: string, signal: AbortSignal) {
  checkRef(ref, server.address.url)
  if (/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(ref)) return { name: ref, commit: ref }
  const names = ref === 'HEAD' || ref.startsWith('refs/') ? [ref] : [`refs/tags/${ref}`, `refs/heads/${ref}`]
  const patterns = names.flatMap((name) => [name, `${name}^{}`])
  const refs = await listRefs(server, patterns, signal)
  const name = names.find((each) => refs.has(each))
  if (name !== undefined) return { name, commit: refs.get(`${name}^{}`) ?? refs.get(name)! }
  const all = await listRefs(server, ['refs/heads/*', 'refs/tags/*'], signal)
  const known = [...all.keys()].filter((each) => !each.endsWith('^{}'))
  throw noSuchRef(
    server.address.url,
    ref,
    known.map((each) => each.replace(/^refs\/(heads|tags)\//, '')),
  )
}

async function listRefs(server: Server, patterns: string[], signal: AbortSignal) {
  const listed = await ask(server, '/', ['ls-remote', '--quiet', 'tidemark', ...patterns], signal)
  const refs = listed.split('\n').filter(Boolean)
  return new Map(refs.map((line) => [line.slice(line.indexOf('\t') + 1), line.slice(0, line.indexOf('\t'))]))
}

async function fetchInto(clone: string, name: string, server: Server, signal: AbortSignal): Promise<void> {
  const packs = await packsIn(clone)
  if (packs === null || packs > MOST_PACKS) {
    await rm(clone, { recursive: true, force: true })
    await mkdir(clone, { recursive: true })
    await git(clone, ['init', '--quiet', '--bare', '.'], signal)
  }
  // A killed fetch leaves these, and only the holder of the lease comes here.
  for (const left of ['shallow.lock', 'config.lock', 'packed-refs.lock', `${TARGET}.lock`]) {
    await rm(join(clone, left), { force: true })
  }
  await ask(server, clone, ['fetch', ...QUIET, '--depth=1', 'tidemark', `+${name}:${TARGET}`], signal)
}

/** How many packs a clone has; null where there is no clone. */
async function packsIn(clone: string): Promise<number | null> {
  try {
    const files = await readdir(join(clone, 'objects', 'pack'))
    return files.filter((file) => file.endsWith('.pack')).length
  } catch {
    return null
  }
}

/** Those of the objects that the clone does not have. */
async function missingOf({ folder }: Repository, oids: readonly string[], signal: AbortSignal): Promise<string[]> {
  const input = Readable.from(inPieces(lines(oids)))
  const answers = await git(folder, ['cat-file', '--batch-check=%(objectname)'], signal, { input })
  const missing = answers.split('\n').filter((line) => line.endsWith(' missing'))
  return [...new Set(missing.map((line) => line.slice(0, line.indexOf(' '))))]
}

function* lines(oids: Iterable<string>): Generator<string> {
  for (const oid of oids) yield `${oid}\n`
}
