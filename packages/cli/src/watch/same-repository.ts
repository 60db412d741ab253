/**
 * What the addresses of one repository have in common: its host and its path. How it is reached (https, ssh, git), by
 * whom and on which port make no difference, nor do `.git`, a slash at the end and letter case: a source that is looked
 * at without need costs little.
 *
 * @returns null for what names no repository on a server.
 */
export function repositoryKey(address: string): string | null {
  // As scp has it: host:path.
  const scp = /^(?:[^\s/@:]+@)?([^\s/@:]{2,}):(?!\/\/)(.+)$/.exec(address)
  const url = scp ? `ssh://${scp[1]}/${scp[2]}` : address
  if (!URL.canParse(url)) return null
  const { hostname, pathname } = new URL(url)
  const path = pathname
    .replace(/\/+$/, '')
    .replace(/(?<=[^/])\.git$/i, '')
    .replace(/^\/+/, '')
  return hostname === '' || path === '' ? null : `${hostname}/${path}`.toLowerCase()
}
