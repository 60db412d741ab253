import { distance } from 'fastest-levenshtein'
import { redact } from '../redact.ts'
import { SyncError } from '../sync-error.ts'
import type { Address } from './address.ts'

/** What git prints when it cannot reach a server, and what to do about it. The first match counts. */
const KNOWN_ERRORS = [
  {
    pattern:
      /Authentication failed|could not read (Username|Password)|terminal prompts disabled|HTTP 40[13]|The requested URL returned error: 40[13]|Permission denied \(/i,
    code: 'FETCH_REFUSED',
    message: 'refuses the credentials',
    hint: 'Write https://user:${TOKEN}@host/… with a variable for the token, use a git credential helper, or an ssh key that the agent has.',
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
    hint: 'Check the address of the repository.',
  },
  {
    pattern:
      /Could not resolve host|Could not connect|Failed to connect|Connection (refused|timed out|reset)|unable to access|early EOF|hung up|No route to host|RPC failed|Could not read from remote/i,
    code: 'FETCH_FAILED',
    message: 'does not answer as it should',
    hint: 'Check the address and the network; the next run tries again.',
  },
  {
    pattern: /No space left on device/i,
    code: 'FETCH_FAILED',
    message: 'could not be fetched: the disk is full',
    hint: 'Make room where the clones are kept, then run again.',
  },
] as const

/** What git has printed about its failure; the error's own text where it is not one of git's. */
export function readStderr(error: unknown): string {
  const { stderr, message } = error as { stderr?: Uint8Array; message?: string }
  return (stderr?.length ? Buffer.from(stderr).toString() : (message ?? String(error))).trim()
}

/** The error of a git that talked to a server; `GIT_FAILED` where it is none of the server's. */
export function fetchError(error: unknown, { url }: Address): SyncError {
  if (error instanceof SyncError) return error
  const text = redact(readStderr(error))
  const lines = text.split('\n')
  const detail = lines.find((line) => /^(fatal|error|remote):/.test(line)) ?? lines.at(-1)
  const known = KNOWN_ERRORS.find(({ pattern }) => pattern.test(text))
  if (known) return new SyncError(known.code, `${redact(url)} ${known.message} (${detail})`, known.hint)
  return new SyncError('GIT_FAILED', `git could not fetch from ${redact(url)} (${detail})`, 'The next run tries again.')
}

/** The error of a folder that git cannot read. */
export function repositoryError(error: unknown, folder: string): SyncError {
  const text = readStderr(error)
  if (/spawn git ENOENT/.test(text))
    return new SyncError('GIT_MISSING', 'The program "git" was not found', 'Install git 2.34 or newer.', error)
  if (/dubious ownership/.test(text)) {
    const hint = `Allow it with: git config --global --add safe.directory ${folder}`
    return new SyncError('GIT_FAILED', `${folder} belongs to another user, and git refuses to read it`, hint, error)
  }
  const hint = 'Give the path of a work tree or of a bare repository.'
  return new SyncError('NOT_A_REPOSITORY', `${folder} is not a git repository`, hint, error)
}

/** The error of a ref that is not there, naming those that are there and most like it. */
export function refNotFound(where: string, ref: string, known: readonly string[]): SyncError {
  const nearest = known.toSorted((a, b) => distance(a, ref) - distance(b, ref)).slice(0, 5)
  const hint = nearest.length === 0 ? 'It has no commits yet.' : `Nearest to it are: ${nearest.join(', ')}.`
  return new SyncError('REF_NOT_FOUND', `${where} has no ref "${ref}"`, hint)
}
