import { createHash, timingSafeEqual } from 'node:crypto'
import { verify } from '@octokit/webhooks-methods'
import { repositoryKey } from './same-repository.ts'

/** A request as its sender has signed it. */
export interface SignedRequest {
  readonly body: string
  header(name: string): string | undefined
}

/** Who sends hooks, and how it is known that a request is theirs. */
export const HOOKS = {
  github: (secret, { body, header }) => isSigned(secret, body, header('x-hub-signature-256')),
  // Gitea, Forgejo and Gogs sign in the same way, without the name of the algorithm.
  gitea: (secret, { body, header }) => isSigned(secret, body, withAlgorithm(header('x-gitea-signature'))),
  // A shared word, which goes over the wire as it is.
  gitlab: async (secret, { header }) => isSame(secret, header('x-gitlab-token')),
  generic: async (secret, { body, header }) =>
    (await isSigned(secret, body, header('x-hub-signature-256'))) ||
    isSame(`Bearer ${secret}`, header('authorization')),
} satisfies Record<string, (secret: string, request: SignedRequest) => Promise<boolean>>

export type HookName = keyof typeof HOOKS

const withAlgorithm = (signature: string | undefined) => signature && `sha256=${signature}`

/** HMAC-SHA256 of the body; compared in constant time. */
const isSigned = async (secret: string, body: string, signature: string | undefined) =>
  signature !== undefined && /^sha256=[0-9a-f]{64}$/i.test(signature) && body !== '' && verify(secret, body, signature)

/** In constant time, by digests, which are of one length. */
export function isSame(expected: string, given: string | undefined): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return given !== undefined && timingSafeEqual(digest(expected), digest(given))
}

/** Where forges write the addresses of the repository that has changed; of the others it is one of these, too. */
const REPOSITORY_FIELDS = ['repository', 'project'] as const
const ADDRESS_FIELDS = [
  'clone_url',
  'ssh_url',
  'git_url',
  'html_url',
  'git_http_url',
  'git_ssh_url',
  'web_url',
  'http_url',
  'url',
]

interface KnownSource {
  readonly id: string
  readonly repo: string
}

/**
 * The sources that a hook is about: those whose repository it names, or that it names itself (`{"source":"docs"}`,
 * `{"repo":"https://…"}`), as a script of one's own may.
 */
export function sourcesOf(payload: Record<string, any>, sources: readonly KnownSource[]): string[] {
  const repositories = REPOSITORY_FIELDS.map((field) => payload[field]).filter((value) => typeof value === 'object')
  const named = repositories.flatMap((repository) => ADDRESS_FIELDS.map((field) => repository?.[field]))
  const addresses = [payload.repo, ...named].filter((address) => typeof address === 'string')
  const keys = new Set(addresses.map(repositoryKey).filter((key) => key !== null))
  const isMeant = ({ id, repo }: KnownSource) => id === payload.source || keys.has(repositoryKey(repo) ?? '')
  return sources.filter(isMeant).map(({ id }) => id)
}

/** What a body holds: JSON, or JSON in the field `payload` of a form; null for what is neither. What curl sends is called a form. */
export function parsePayload(body: string, contentType: string | undefined): Record<string, any> | null {
  const isForm = contentType?.startsWith('application/x-www-form-urlencoded')
  const text = (isForm && new URLSearchParams(body).get('payload')) || body
  try {
    const payload = JSON.parse(text)
    return typeof payload === 'object' ? payload : null
  } catch {
    return null
  }
}
