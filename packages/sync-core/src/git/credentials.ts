import type { Address } from './address.ts'
import type { GitSettings } from './environment.ts'

/**
 * A server's address and its password as configuration in the environment: an argument could be read by every user of
 * the machine, a file would outlive the run.
 */
export function credentials({ url, username, password }: Address): GitSettings {
  const config: [string, string][] = [
    ['remote.tidemark.url', url],
    ['remote.tidemark.promisor', 'true'],
    ['remote.tidemark.partialclonefilter', 'blob:none'],
    // One pack a fetch, however few objects it has, so that packs are the one thing to count.
    ['fetch.unpackLimit', '1'],
  ]
  const secrets: Record<string, string> = {}
  if (username !== null) config.push(['credential.username', username])
  if (password !== null) {
    secrets.TIDEMARK_GIT_PASSWORD = password
    // An empty helper first: those of the user are not to keep it.
    config.push(['credential.helper', ''], ['credential.helper', '!printf "password=%s\\n" "$TIDEMARK_GIT_PASSWORD" #'])
  }
  return { config, secrets, online: true }
}
