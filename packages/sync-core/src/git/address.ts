import { isIP } from 'node:net'
import { unescape as decode } from 'node:querystring'

/** The address of a repository on a server without its secrets, and those apart from it. */
export interface Address {
  readonly url: string
  /** Null where the address has no credentials. */
  readonly username: string | null
  /** Null where it names a user only, as in `https://me@host`: that may be a token, or someone a helper knows. */
  readonly password: string | null
}

/** Whether a source's repository is on a server (or behind `file://`) rather than a path. */
export function isRemote(repo: string): boolean {
  // As git has it: a colon before the first slash makes host:path, but C:\ is a path.
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(repo) || /^[a-z][a-z0-9+.-]*::/i.test(repo) || /^[^/\\:]{2,}:/.test(repo)
}

/** Takes an address apart; null for what is not fetched: remote helpers, unencrypted http to other machines. */
export function parseAddress(repo: string): Address | null {
  if (/^[^/\\:@-][^/\\:]*:(?!:|\/\/)/.test(repo)) return { url: repo, username: null, password: null }
  const url = URL.canParse(repo) ? new URL(repo) : null
  if (url === null) return null
  if (url.protocol === 'file:' || url.protocol === 'ssh:') {
    // No program of ssh takes a password from an address; as an argument every user of the machine could read it.
    const shown = url.protocol === 'ssh:' ? repo.replace(/^(ssh:\/\/[^/@:]*):[^/@]*@/i, '$1@') : repo
    return url.hostname.startsWith('-') ? null : { url: shown, username: null, password: null }
  }
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) return null
  // URL does not tell "https://me:@host", which has an empty password, from "https://me@host", which has none.
  const [userinfo] = /(?<=^https?:\/\/)[^/?#\\]*(?=@)/i.exec(repo.trim()) ?? []
  const username = userinfo ? decode(url.username) : null
  const password = userinfo?.includes(':') ? decode(url.password) : null
  // Each is a line of what git's helpers say.
  if (/[\0\r\n]/.test(`${username}${password}`)) return null
  url.username = ''
  url.password = ''
  return { url: url.href, username, password }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'))
}
