import type { Address } from './address.ts'

/**
 * A server with its credentials as configuration in the environment: an argument could be read by every user of the
 * machine, a file would outlive the run.
 *
 * @param inherited how many settings the environment of this process has already.
 */
export function serverConfig(server: Address, inherited: number): [key: string, value: string][] {
  return [
    ['remote.tidemark.url', server.url],
    ['remote.tidemark.promisor', 'true'],
    ['remote.tidemark.partialclonefilter', 'blob:none'],
    // One pack a fetch, however few objects it has, so that packs are the one thing to count.
    ['fetch.unpackLimit', '1'],
    // Where it is sent on to is looked at first: `remote-git.ts`.
    ['http.followRedirects', 'false'],
    ...credentialConfig(server, inherited),
  ]
}

/** Nothing but this server is to have them. */
function credentialConfig({ url, username, password }: Address, inherited: number): [key: string, value: string][] {
  if (username === null) return []
  const scope = `credential.${new URL(url).origin}`
  return [
    [`${scope}.username`, username],
    // An empty helper first: those of the user are not to keep what the address has.
    [`${scope}.helper`, ''],
    [`${scope}.helper`, password === null ? usersHelpersElseEmpty(inherited) : PASSWORD_HELPER],
  ]
}

const PASSWORD_HELPER = '!printf "password=%s\\n" "$TIDEMARK_GIT_PASSWORD" #'

/** A user alone is someone whose password the user's own helpers know, or a token, which has an empty one. */
const usersHelpersElseEmpty = (inherited: number) =>
  `!f() { test "$1" = get || exit 0; GIT_CONFIG_COUNT=${inherited} git credential fill 2>/dev/null || echo password=; }; f`

/** A text of a server without the credentials that it was given: some say what they do not take. */
export function redactCredentials(text: string, { username, password }: Address): string {
  const secret = password || username
  // What is shorter stands in any text, and is no secret.
  if (secret === null || secret.length < 4) return text
  const login = Buffer.from(`${username}:${password ?? ''}`).toString('base64')
  return [login, encodeURIComponent(secret), secret].reduce((shown, form) => shown.replaceAll(form, '***'), text)
}
