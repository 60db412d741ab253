import { isIP } from 'node:net'
import { unescape as decode } from 'node:querystring'
import { splitUrl } from '../url-parts.ts'

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

/** Whether what is no address looks like one whose scheme was left out or misspelled, so that it may hold a password. */
export function isBrokenAddress(path: string): boolean {
  return path.includes('://') || /^[/\\]{2}.*@/.test(path) || /^[^./\\~@][^/\\]*@[^/\\]+[/\\]/.test(path)
}

// host:path, as scp has it. One with a "://" or an "@" in its path is something else, such as user:password@host.
const SCP =
  /^(?!(?:https?|ssh|git|file):)(?:[^\s/\\:@'"=-][^\s/\\:@'"=]*@)?[^\s/\\:@'"=-][^\s/\\:@'"=]*:(?!:|\/\/)[^@]+$/

/** Takes an address apart; null for what is not fetched: remote helpers, unencrypted http, what is not read in one way. */
export function parseAddress(repo: string): Address | null {
  if (SCP.test(repo) && !/:\/\/|\p{Cc}/u.test(repo)) return { url: repo, username: null, password: null }
  const parts = splitUrl(repo)
  if (parts === null || parts.host.startsWith('-') || isUnencrypted(repo)) return null
  const { scheme, userinfo, host, path, query, fragment } = parts
  if (scheme === 'file') return { url: repo, username: null, password: null }
  // git has no use for a query, which is where some put a token.
  if (host === '' || query !== '' || fragment !== '') return null
  // No program of ssh takes a password from an address; as an argument every user of the machine could read it.
  if (scheme === 'ssh') {
    const user = userinfo === null ? '' : `${userinfo.replace(/:.*/s, '')}@`
    return user.startsWith('-') ? null : { url: `ssh://${user}${host}${path}`, username: null, password: null }
  }
  // To a browser "\" ends a host as "/" does.
  if ((scheme !== 'https' && scheme !== 'http') || repo.includes('\\') || !URL.canParse(repo)) return null
  const url = new URL(repo)
  // URL does not tell "https://me:@host", which has an empty password, from "https://me@host", which has none.
  const username = userinfo ? decode(url.username) : null
  const password = userinfo?.includes(':') ? decode(url.password) : null
  // Each is a line of what git's helpers say.
  if (/[\0\r\n]/.test(`${username}${password}`)) return null
  url.username = ''
  url.password = ''
  return { url: url.href, username, password }
}

/** Whether what is sent to an address could be read on its way: by http, to another machine. */
export function isUnencrypted(address: string): boolean {
  if (!/^http:/i.test(address) || !URL.canParse(address)) return false
  const { hostname } = new URL(address)
  const here = hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'))
  return !here
}
