import { isIP } from 'node:net'

/** The address of a repository on a server without its secrets, and those apart from it. */
export interface Address {
  readonly url: string
  readonly username: string | null
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
    return url.hostname.startsWith('-') ? null : { url: repo, username: null, password: null }
  }
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) return null
  const username = url.username === '' ? null : decodeURIComponent(url.username)
  const password = url.password === '' ? null : decodeURIComponent(url.password)
  url.username = ''
  url.password = ''
  return { url: url.href, username, password }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'))
}
