import type { Address } from './address.ts'

/**
 * A server with its credentials as configuration in the environment: an argument could be read by every user of the
 * machine, a file would outlive the run.
 */
export function serverConfig({ url, username, password }: Address): [key: string, value: string][] {
  const config: [string, string][] = [
    ['remote.tidemark.url', url],
    ['remote.tidemark.promisor', 'true'],
    ['remote.tidemark.partialclonefilter', 'blob:none'],
    // One pack a fetch, however few objects it has, so that packs are the one thing to count.
    ['fetch.unpackLimit', '1'],
  ]
  if (username !== null) config.push(['credential.username', username])
  if (password !== null) {
    // An empty helper first: those of the user are not to keep it.
    config.push(['credential.helper', ''], ['credential.helper', '!printf "password=%s\\n" "$TIDEMARK_GIT_PASSWORD" #'])
  }
  return config
}
