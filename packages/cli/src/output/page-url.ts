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
  const scp = /^(?:[^\s/@:]+@)?([^\s/@:]{2,}):(?!\/\/)(.+)$/.exec(repo)
  const address = scp ? `ssh://${scp[1]}/${scp[2]}` : repo
  if (commit === null || !/^(https?|ssh):/i.test(address) || !URL.canParse(address)) return null
  const { protocol, hostname, port, pathname } = new URL(address)
  // Only the addresses of the web have their hosts in small letters by themselves, and a port that a browser can use.
  const name = hostname.toLowerCase()
  const host = protocol === 'https:' && port !== '' ? `${name}:${port}` : name
  const blob = HOSTS.find(([known]) => known.test(name))?.[1]
  if (blob === undefined) return null
  const repository = pathname
    .replace(/\/+$/, '')
    .replace(/\.git$/i, '')
    .replace(/^\/+/, '/')
  const file = path.split('/').map(encodeURIComponent).join('/')
  return `https://${host}${repository}/${blob}${commit}/${file}${anchor ? `#${encodeURIComponent(anchor)}` : ''}`
}
