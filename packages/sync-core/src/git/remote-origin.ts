import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { SyncError } from '../sync-error.ts'
import { type Address, parseAddress } from './address.ts'
import { explainFetch } from './explain-fetch.ts'
import { type GitSettings, git, gitLines, succeeds } from './git.ts'
import type { Origin } from './origin.ts'
import { checkRef, type Repository, resolveRef } from './repository.ts'

/** Where a fetch puts the commit, so that git keeps what belongs to it. */
const TARGET = 'refs/tidemark/target'
/** Where the fetch before had put it. */
const PREVIOUS = 'refs/tidemark/previous'

/**
 * A repository on a server. What is needed of it is kept in a bare clone of ours: one commit deep, and without
 * blobs where the server allows that, because most runs want few of them.
 *
 * @param clone folder of that clone; made when it is first needed. Only the holder of the source's lease opens it.
 */
export function remoteOrigin(repo: string, ref: string, clone: string): Origin {
  const address = parseAddress(repo)!
  const settings = settingsFor(address)
  const named = async (signal: AbortSignal) => findRef(settings, address, ref, signal)
  return {
    phase: 'fetch',
    head: async (signal) => (await named(signal)).commit,
    async open(wanted, signal) {
      const { name } = await named(signal)
      const fetch = () => fetchInto(clone, name, wanted, settings, signal)
      try {
        await fetch()
      } catch (error) {
        signal.throwIfAborted()
        const explained = explainFetch(error, address)
        if (explained.code !== 'GIT_FAILED') throw explained
        // Not the server's fault: perhaps the clone is damaged, and nothing in it can't be had again.
        await rm(clone, { recursive: true, force: true })
        await fetch().catch((again) => {
          signal.throwIfAborted()
          throw explainFetch(again, address)
        })
      }
      const repository: Repository = { folder: clone, settings }
      return { repository, commit: await resolveRef(repository, TARGET, signal) }
    },
    async has(repository, commit, signal) {
      // Asked for an object that is not here, a partial clone would go and fetch it.
      const fetched = ['rev-parse', '--verify', '--quiet', PREVIOUS]
      const known = git(repository.folder, fetched, signal).then((oid) =>
        oid === commit ? oid : Promise.reject(oid),
      )
      return succeeds(known, signal)
    },
    async bring(repository, oids, signal) {
      const missing = await missingOf(repository, oids, signal)
      if (missing.length === 0) return
      // The objects are named, so there is nothing to negotiate: without "noop" git would offer all that it has.
      const fetch = [
        '-c',
        'fetch.negotiationAlgorithm=noop',
        'fetch',
        '--quiet',
        '--no-tags',
        '--no-write-fetch-head',
      ]
      const input = Readable.from(missing.map((oid) => `${oid}\n`))
      try {
        await git(clone, [...fetch, '--filter=blob:none', '--stdin', 'tidemark'], signal, {
          ...settings,
          input,
        })
      } catch (error) {
        signal.throwIfAborted()
        throw explainFetch(error, address)
      }
    },
  }
}

/**
 * The address and its password as configuration in the environment: an argument could be read by every user of the
 * machine, a file would outlive the run.
 */
function settingsFor({ url, username, password }: Address): GitSettings {
  const config: [string, string][] = [['remote.tidemark.url', url]]
  const secrets: Record<string, string> = {}
  if (username !== null) config.push(['credential.username', username])
  if (password !== null) {
    secrets.TIDEMARK_GIT_PASSWORD = password
    // An empty helper first: those of the user are not to keep it.
    config.push(
      ['credential.helper', ''],
      ['credential.helper', '!printf "password=%s\\n" "$TIDEMARK_GIT_PASSWORD" #'],
    )
  }
  return { config, secrets }
}

/** The full name of a ref on the server, and its commit. In git's own order: tags before branches. */
async function findRef(settings: GitSettings, address: Address, ref: string, signal: AbortSignal) {
  checkRef(ref, address.url)
  if (/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(ref)) return { name: ref, commit: ref }
  const names = ref === 'HEAD' || ref.startsWith('refs/') ? [ref] : [`refs/tags/${ref}`, `refs/heads/${ref}`]
  const refs = await listRefs(
    settings,
    address,
    names.flatMap((name) => [name, `${name}^{}`]),
    signal,
  )
  const name = names.find((each) => refs.has(each))
  if (name !== undefined) return { name, commit: refs.get(`${name}^{}`) ?? refs.get(name)! }
  const all = await listRefs(settings, address, ['refs/heads/*'], signal)
  const known = [...all.keys()]
    .slice(0, 5)
    .map((each) => each.replace('refs/heads/', ''))
    .join(', ')
  throw new SyncError(
    'REF_NOT_FOUND',
    `${address.url} has no ref "${ref}"`,
    known === '' ? 'It has no commits yet.' : `It has for example: ${known}.`,
  )
}

async function listRefs(settings: GitSettings, address: Address, patterns: string[], signal: AbortSignal) {
  try {
    const listed = await git('/', ['ls-remote', '--quiet', 'tidemark', ...patterns], signal, settings)
    const lines = listed.split('\n').filter(Boolean)
    return new Map(
      lines.map((line) => [line.slice(line.indexOf('\t') + 1), line.slice(0, line.indexOf('\t'))]),
    )
  } catch (error) {
    signal.throwIfAborted()
    throw explainFetch(error, address)
  }
}

async function fetchInto(
  clone: string,
  name: string,
  wanted: 'everything' | 'tree',
  settings: GitSettings,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(clone, { recursive: true })
  await git(clone, ['init', '--quiet', '--bare', '.'], signal)
  // A killed fetch leaves these, and only the holder of the lease comes here.
  for (const left of ['shallow.lock', 'config.lock', 'packed-refs.lock', `${TARGET}.lock`]) {
    await rm(join(clone, left), { force: true })
  }
  await succeeds(git(clone, ['update-ref', PREVIOUS, `${TARGET}^{commit}`], signal), signal)
  const fetch = ['fetch', '--quiet', '--depth=1', '--no-tags', '--no-write-fetch-head', '--no-auto-gc']
  const filter = wanted === 'tree' ? ['--filter=blob:none'] : []
  await git(clone, [...fetch, ...filter, 'tidemark', `+${name}:${TARGET}`], signal, settings)
}

/** Those of the objects that the clone does not have. Asked one by one, git would fetch each of them. */
async function missingOf(
  repository: Repository,
  oids: Iterable<string>,
  signal: AbortSignal,
): Promise<string[]> {
  const missing = new Set(oids)
  if (missing.size === 0) return []
  const list = ['cat-file', '--batch-all-objects', '--unordered', '--batch-check=%(objectname)']
  for await (const oid of gitLines(repository.folder, list, signal)) missing.delete(oid)
  return [...missing]
}
