import { redact } from '../redact.ts'
import { SyncError } from '../sync-error.ts'
import type { Address } from './address.ts'
import { ExecaError } from './execa.ts'

/** What git says when it cannot get at a server, in words that tell what to do. First match counts. */
const FAULTS = [
  {
    said: /Authentication failed|could not read (Username|Password)|terminal prompts disabled|HTTP 40[13]|The requested URL returned error: 40[13]|Permission denied \(/i,
    code: 'FETCH_REFUSED',
    message: 'refuses the credentials',
    hint: 'Write https://user:${TOKEN}@host/… with a variable for the token, use a git credential helper, or an ssh key that the agent has.',
  },
  {
    said: /Host key verification failed|authenticity of host|REMOTE HOST IDENTIFICATION/i,
    code: 'FETCH_REFUSED',
    message: 'has a host key that is not known here',
    hint: 'Check the key, then add it: ssh-keyscan <host> >> ~/.ssh/known_hosts',
  },
  {
    said: /not found|does not exist|does not appear to be a git repository|HTTP 404|returned error: 404/i,
    code: 'FETCH_FAILED',
    message: 'is not there, or not for these credentials',
    hint: 'Check the address of the repository.',
  },
  {
    said: /Could not resolve host|Could not connect|Failed to connect|Connection (refused|timed out|reset)|unable to access|early EOF|hung up|No route to host|RPC failed|Could not read from remote/i,
    code: 'FETCH_FAILED',
    message: 'does not answer as it should',
    hint: 'Check the address and the network; the next run tries again.',
  },
  {
    said: /No space left on device/i,
    code: 'FETCH_FAILED',
    message: 'could not be fetched: the disk is full',
    hint: 'Make room where the clones are kept, then run again.',
  },
] as const

/** The error of a git that talked to a server. `GIT_FAILED` where it is none of the server's. */
export function explainFetch(error: unknown, { url }: Address): SyncError {
  if (error instanceof SyncError) return error
  const said = redact(String((error instanceof ExecaError && error.stderr) || error)).trim()
  const fault = FAULTS.find((each) => each.said.test(said))
  const detail = said.split('\n').find((line) => /^(fatal|error|remote):/.test(line)) ?? said.split('\n').at(-1) ?? ''
  if (fault) return new SyncError(fault.code, `${redact(url)} ${fault.message} (${detail})`, fault.hint)
  return new SyncError('GIT_FAILED', `git could not fetch from ${redact(url)} (${detail})`, 'The next run tries again.')
}
