import { parseRepositoryAddress } from '../runtime/repository-address.ts'

/** Where the page of a file is on the hosts that are known by their names: below the address of the repository. */
const HOSTS: readonly (readonly [host: RegExp, blob: string])[] = [
  [/^github\.com$|\.ghe\.com$/, 'blob/'],
  [/^gitlab\./, '-/blob/'],
  [/^codeberg\.org$|^gitea\.|^forgejo\./, 'src/commit/'],
  [/^bitbucket\.org$/, 'src/'],
]

/**
 * The address of a file on the host of its repository, as it was at a commit; null where the repository is on this
 * machine or its host is not known, and no guess is made.
 *
 * @param repo as the configuration has it; what is secret in it is left out.
 * @param anchor of a heading.
 */
export function pageUrl(repo: string, commit: string | null, path: string, anchor?: string): string | null {
  const repository = parseRepositoryAddress(repo)
  if (commit === null || repository === null || !/^(https?|ssh):$/.test(repository.protocol)) return null
  const { protocol, hostname, port } = repository
  const blob = HOSTS.find(([known]) => known.test(hostname))?.[1]
  if (blob === undefined) return null
  // Of an https address the port is one that a browser can use.
  const host = protocol === 'https:' && port !== '' ? `${hostname}:${port}` : hostname
  const file = path.split('/').map(encodeURIComponent).join('/')
  return `https://${host}/${repository.path}/${blob}${commit}/${file}${anchor ? `#${encodeURIComponent(anchor)}` : ''}`
}
