import { pullTimeout } from '../run/outcome-from-error.ts'
import type { Address } from './address.ts'
import { fetchError, notAGitServer, redirectedAway } from './errors.ts'
import { type GitOptions, readGit } from './run-git.ts'

/** As many as git itself follows. */
const MAX_REDIRECTS = 20

export type RemoteGit = (
  folder: string,
  args: readonly string[],
  signal: AbortSignal,
  options?: Pick<GitOptions, 'input' | 'trace'>,
) => Promise<{ stdout: string; stderr: string }>

/**
 * Runs git on a server, and goes where that sends it on, but to no other host: one that may name any address would have
 * it ask what only this machine can reach. git follows to any host or to none, so it follows none, and says where to.
 *
 * @returns what runs a git to its end, and has what it printed. It throws a SyncError, Stopped, or the signal's reason.
 */
export function remoteGit(first: Address): RemoteGit {
  let server = first
  const attempt: RemoteGit = async (folder, args, signal, options) => {
    signal.throwIfAborted()
    try {
      return await readGit(folder, args, signal, { server, ...options })
    } catch (error) {
      throw signal.aborted ? pullTimeout(signal.reason) : fetchError(error, server)
    }
  }
  return async (folder, args, signal, options) => {
    for (let redirects = 0; ; redirects++) {
      try {
        return await attempt(folder, args, signal, options)
      } catch (error) {
        if ((error as { code?: string }).code !== 'FETCH_REDIRECTED') throw error
        if (redirects === MAX_REDIRECTS) throw notAGitServer(first)
        server = await followRedirect(server, signal)
      }
    }
  }
}

/** Where a server sends a git that asks for its refs. Only one of the same origin gets the credentials too. */
async function followRedirect(server: Address, signal: AbortSignal): Promise<Address> {
  const run = readGit('/', ['ls-remote', 'tidemark'], signal, { server, trace: 'CURL' })
  const stderr = await run.then(
    (ended) => ended.stderr,
    (error: { stderr?: Uint8Array }) => Buffer.from(error.stderr ?? []).toString(),
  )
  signal.throwIfAborted()
  // As git has asked, which a url.<base>.insteadOf of the user may have made another.
  const asked = /unable to access '(.+)':/.exec(stderr)?.[1] ?? server.url
  const location = [...stderr.matchAll(/<= Recv header: location: (\S+)/gi)].at(-1)?.[1]
  const from = new URL(`${asked.replace(/\/$/, '')}/info/refs`)
  if (location === undefined || !URL.canParse(location, from.href)) throw notAGitServer(server)
  const to = new URL(location, from)
  if (to.hostname !== from.hostname || (to.protocol !== from.protocol && to.protocol !== 'https:')) {
    throw redirectedAway(server, to)
  }
  const [url, rest] = `${to.origin}${to.pathname}`.split(/(?<=\/)info\/refs$/)
  if (rest === undefined) throw notAGitServer(server)
  return to.origin === from.origin ? { ...server, url: url! } : { url: url!, username: null, password: null }
}
