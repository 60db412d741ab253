import { existsSync, realpathSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { distance } from 'fastest-levenshtein'
import { redact } from '../redact.ts'
import { settingStep } from '../run/setting-step.ts'
import { SyncError } from '../sync-error.ts'
import { type Address, isRemote } from './address.ts'
import { redactCredentials } from './credentials.ts'

const MOVED_STEP = 'tidemark sources set <id> --url <address>'

/** The same address with a token, which a variable keeps out of the configuration and the shell's history. */
const tokenStep = (url: string) => settingStep({ url: url.replace(/^(https?:\/\/)/, '$1user:${TOKEN}@') })

/** What answers a program as it would a browser. */
const NOT_A_GIT_SERVER = {
  code: 'FETCH_FAILED',
  message: 'answers, but not as a git server: with a page of the web, perhaps one to log in',
  hint: (url: string) =>
    `Open it in a browser: is it the address that git clone takes? Where it asks for a login, give a token in a variable: ${tokenStep(url)}`,
} as const

/** What git prints when it cannot reach a server, and what to do about it. The first match counts. */
const KNOWN_ERRORS = [
  {
    pattern: /returned error: 30[12378]/,
    code: 'FETCH_REDIRECTED',
    message: 'sends its callers to another address',
    hint: `Give that as the address of the repository: ${MOVED_STEP}`,
  },
  {
    // Before what git says of the connection, which it gives up then. Of the server's disk it is the server that speaks.
    pattern: /^(?!remote:).*(No space left on device|Disk quota exceeded)/im,
    code: 'FETCH_FAILED',
    message: 'could not be fetched: the disk is full',
    hint: 'Make room where the clones are kept, then run again.',
  },
  {
    pattern: /not our ref|couldn't find remote ref/i,
    code: 'REF_NOT_FOUND',
    message: 'has no such ref any more, or does not give that commit away',
    hint: `Name a branch or a tag that has it, or follow the default branch: ${settingStep({ ref: 'HEAD' })}`,
  },
  {
    pattern:
      /not valid: is this a git repository|unable to update url base from redirection|invalid server response|bad line length character|redirects followed/i,
    ...NOT_A_GIT_SERVER,
  },
  {
    pattern:
      /Authentication failed|could not read (Username|Password)|terminal prompts disabled|HTTP 40[13]|The requested URL returned error: 40[13]|Permission denied \(/i,
    code: 'FETCH_REFUSED',
    message: 'refuses the credentials',
    hint: (url: string) =>
      /^https?:/.test(url)
        ? `Use a git credential helper, or give a token in a variable: ${tokenStep(url)}`
        : 'Use an ssh key that the agent has and the server knows.',
  },
  {
    pattern: /Host key verification failed|authenticity of host|REMOTE HOST IDENTIFICATION/i,
    code: 'FETCH_REFUSED',
    message: 'has a host key that is not known here',
    hint: 'Check the key, then add it: ssh-keyscan <host> >> ~/.ssh/known_hosts',
  },
  {
    pattern: /not found|does not exist|does not appear to be a git repository|HTTP 404|returned error: 404/i,
    code: 'FETCH_FAILED',
    message: 'is not there, or not for these credentials',
    hint: `Check the address; where the repository has moved: ${MOVED_STEP}`,
  },
  {
    pattern:
      /Could not resolve host|Could not connect|Failed to connect|Connection (refused|timed out|reset)|unable to access|early EOF|hung up|No route to host|RPC failed|Could not read from remote/i,
    code: 'FETCH_FAILED',
    message: 'does not answer as it should',
    hint: 'Check the address and the network; the next run tries again.',
  },
] as const

/** What git has printed about its failure; the error's own text where it is not one of git's. */
export function readStderr(error: unknown): string {
  const { stderr, message } = error as { stderr?: Uint8Array; message?: string }
  return (stderr?.length ? Buffer.from(stderr).toString() : (message ?? String(error))).trim()
}

/** The error of a git that talked to a server; `GIT_FAILED` where it is none of the server's. */
export function fetchError(error: unknown, server: Address): SyncError {
  if (error instanceof SyncError) return error
  const { url } = server
  const text = redact(redactCredentials(readStderr(error), server))
  const lines = text.split('\n')
  const detail = lines.find((line) => /^(fatal|error|remote):/.test(line)) ?? lines.at(-1)
  const refused = ownershipError(text, redact(url), error)
  if (refused) return refused
  const known = KNOWN_ERRORS.find(({ pattern }) => pattern.test(text))
  if (known) {
    const hint = typeof known.hint === 'string' ? known.hint : known.hint(redact(url))
    return new SyncError(known.code, `${redact(url)} ${known.message} (${detail})`, hint)
  }
  return new SyncError('GIT_FAILED', `git could not fetch from ${redact(url)} (${detail})`, 'The next run tries again.')
}

/** The error of a server that answers, and not by git's protocol. */
export function notAGitServer({ url }: Address): SyncError {
  const { code, message, hint } = NOT_A_GIT_SERVER
  return new SyncError(code, `${redact(url)} ${message}`, hint(redact(url)))
}

/** The error of a server that sends its callers on to another host. */
export function redirectedAway({ url }: Address, to: URL): SyncError {
  const message = `${redact(url)} sends its callers on to ${to.protocol}//${to.host}, and no one is followed to another host`
  const [, address] = /^(https:\/\/.+)\/info\/refs$/.exec(`${to.origin}${to.pathname}`) ?? []
  const step = address === undefined ? MOVED_STEP : settingStep({ url: address })
  return new SyncError('FETCH_REDIRECTED', message, `If the repository has moved there: ${step}`)
}

/** The error of a repository that belongs to someone else; null where that is not why git has failed. */
function ownershipError(text: string, where: string, error: unknown): SyncError | null {
  if (!/dubious ownership|unsafe repository/.test(text)) return null
  // The one path that git takes, which need not be the one it was given, quoted for a shell.
  const remedy = /git config --global --add safe\.directory .+/.exec(text)?.[0]
  const local = !isRemote(where) || where.startsWith('file:')
  const hint = `${local ? 'Allow it' : 'Allow it there'} with: ${remedy ?? 'git config --global --add safe.directory <path>'}`
  return new SyncError('GIT_FAILED', `${where} belongs to another user, and git refuses to read it`, hint, error)
}

/** The error of a folder that git cannot read. */
export function repositoryError(error: unknown, folder: string): SyncError {
  const text = readStderr(error)
  if (/spawn git ENOENT/.test(text))
    return new SyncError('GIT_MISSING', 'The program "git" was not found', 'Install git 2.34 or newer.', error)
  const refused = ownershipError(text, folder, error)
  if (refused) return refused
  const outer = enclosingWorkTree(folder)
  const hint = outer
    ? `It lies inside ${outer.folder}: ${settingStep({ path: outer.folder, subpath: outer.subpath })}`
    : 'Give the path of a work tree or of a bare repository: tidemark sources set <id> --path <folder>'
  return new SyncError('NOT_A_REPOSITORY', `${folder} is not a git repository`, hint, error)
}

/** The work tree that a folder lies in, and where there; null where it lies in none. */
function enclosingWorkTree(folder: string): { folder: string; subpath: string } | null {
  if (!existsSync(folder)) return null
  const inner = realpathSync(folder)
  for (let outer = dirname(inner); outer !== dirname(outer); outer = dirname(outer)) {
    if (existsSync(join(outer, '.git'))) return { folder: outer, subpath: relative(outer, inner).replaceAll(sep, '/') }
  }
  return null
}

/** The error of a ref that leads to a file or a folder of a repository instead of a commit. */
export function notACommit(where: string, ref: string, type: 'blob' | 'tree'): SyncError {
  const what = type === 'blob' ? 'a single file (a blob)' : 'a folder without a commit (a tree)'
  const message = `"${ref}" of ${where} is the name of ${what}, not of a commit`
  return new SyncError('BAD_REF', message, BAD_REF_STEP)
}

/** What to name where something is no ref. */
export const BAD_REF_STEP = `Name a branch, a tag or a full commit id, or follow the default branch: ${settingStep({ ref: 'HEAD' })}`

/**
 * The error of a ref that is not there, naming those that are there and most like it.
 *
 * @param defaultBranch what a clone would have; null where that is not known.
 */
export function refNotFound(
  where: string,
  ref: string,
  known: readonly string[],
  defaultBranch: string | null,
): SyncError {
  const message = `${where} has no ref "${ref}"`
  const nearest = known.toSorted((a, b) => distance(a, ref) - distance(b, ref)).slice(0, 5)
  const [first] = nearest
  if (first === undefined) return new SyncError('REF_NOT_FOUND', message, 'It has no commits yet.')
  const isNear = distance(first, ref) <= Math.max(2, ref.length / 3)
  if (isNear || defaultBranch === null || !known.includes(defaultBranch)) {
    return new SyncError(
      'REF_NOT_FOUND',
      `${message}; nearest to it: ${nearest.join(', ')}`,
      settingStep({ ref: first }),
    )
  }
  const called = `${message}; its default branch is called ${defaultBranch}`
  return new SyncError('REF_NOT_FOUND', called, settingStep({ ref: defaultBranch }))
}
