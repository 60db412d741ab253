import { parseRepositoryAddress } from '../runtime/repository-address.ts'

/**
 * What the addresses of one repository have in common: its host and its path. How it is reached (https, ssh, git), by
 * whom and on which port make no difference, nor do `.git`, a slash at the end and letter case: a source that is looked
 * at without need costs little.
 *
 * @returns null for what names no repository on a server.
 */
export function repositoryKey(address: string): string | null {
  const parts = parseRepositoryAddress(address)
  return parts && `${parts.hostname}/${parts.path}`.toLowerCase()
}
