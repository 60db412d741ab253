import { splitUrl } from './url-parts.ts'

const SECRET_PARAMETER =
  /([?&][^=&\s]*(?:pass|pwd|token|secret|key|auth|sig|cred)[^=&\s]*=|\bpassword=)('(?:[^'\\]|\\.)*'|[^&\s]*)/gi
const ADDRESS = /[a-z][a-z0-9+.-]{0,30}:\/\/[^\s'"<>`]*/gi

/**
 * The text without the secrets of the addresses in it, for logs, errors and tables. An address that cannot be taken
 * apart ends after its "://".
 */
export const redact = (text: string): string =>
  text.replace(/^.*:\/\/.*$/gm, redactLine).replace(SECRET_PARAMETER, '$1***')

/** A password may hold anything, blanks and quotes too: all before the last "@" of a line can be one. */
function redactLine(line: string): string {
  const end = line.lastIndexOf('@') + 1
  const [, before, start] = /^(.*?)([a-z][a-z0-9+.-]{0,30}:\/\/.*)$/i.exec(line.slice(0, end)) ?? []
  if (before === undefined || start === undefined) return line.replace(ADDRESS, redactAddress)
  const [rest = ''] = /^[^\s'"<>`]*/.exec(line.slice(end)) ?? []
  return before + redactAddress(start + rest) + line.slice(end + rest.length).replace(ADDRESS, redactAddress)
}

/**
 * One `scheme://…` without its user, its password and what is in its query; nothing after "://" where it cannot be taken
 * apart. What has no "://" is no such address, and comes back as it is.
 */
export function redactAddress(address: string): string {
  const start = address.indexOf('://') + 3
  if (start < 3) return address
  const parts = splitUrl(address)
  if (parts === null) return `${address.slice(0, start)}***`
  return `${address.slice(0, start)}${parts.host}${parts.path}${parts.query && '?***'}${parts.fragment && '#***'}`
}
