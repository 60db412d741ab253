/** Where a repository is on a server. */
export interface RepositoryAddress {
  /** `https:`, `ssh:` and so on. */
  readonly protocol: string
  /** In small letters. */
  readonly hostname: string
  readonly port: string
  /** Without slashes at its ends and without `.git`. */
  readonly path: string
}

/** Takes the address of a repository apart, by URL or as scp has it (host:path); null for what names none on a server. */
export function parseRepositoryAddress(address: string): RepositoryAddress | null {
  const scp = /^(?:[^\s/@:]+@)?([^\s/@:]{2,}):(?!\/\/)(.+)$/.exec(address)
  const url = scp ? `ssh://${scp[1]}/${scp[2]}` : address
  if (!URL.canParse(url)) return null
  const { protocol, hostname, port, pathname } = new URL(url)
  const path = pathname
    .replace(/\/+$/, '')
    .replace(/(?<=[^/])\.git$/i, '')
    .replace(/^\/+/, '')
  // Only those of the web have their hosts in small letters by themselves.
  return hostname === '' || path === '' ? null : { protocol, hostname: hostname.toLowerCase(), port, path }
}
