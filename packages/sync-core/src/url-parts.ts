/** An address as it is written: nothing of it is decoded. */
export interface UrlParts {
  /** In lower case, without "://". */
  readonly scheme: string
  /** Null where nothing stands before an "@". */
  readonly userinfo: string | null
  /** With its port. */
  readonly host: string
  readonly path: string
  /** With its "?"; empty where there is none. */
  readonly query: string
  /** With its "#"; empty where there is none. */
  readonly fragment: string
}

const FILE = /^(?<scheme>file):\/\/(?<host>[^/@:]*)(?<path>\/.*)$/i
// The last "@" before a "/", "?" or "#" ends the password; one behind them belongs to a password that holds such a
// character as it is, so that nobody can tell where the host begins. A port is a number, or it is a password too.
const URL =
  /^(?<scheme>[a-z][a-z0-9+.-]*):\/\/(?:(?<userinfo>[^/?#]*)@)?(?<host>(?:\[[\da-f:.]+\]|[^/?#@:[\]\s]*)(?::\d{0,5})?)(?<path>(?:\/[^?#@]*)?)(?<query>(?:\?[^#@]*)?)(?<fragment>(?:#[^@]*)?)$/i

/** Takes `scheme://…` apart; null for what is no such address, or could be read in two ways. */
export function splitUrl(text: string): UrlParts | null {
  if (/\p{Cc}|\s$/u.test(text)) return null
  const parts = (FILE.exec(text) ?? URL.exec(text))?.groups
  if (parts === undefined || (parts.scheme!.toLowerCase() === 'file' && !FILE.test(text))) return null
  const { scheme = '', userinfo = null, host = '', path = '', query = '', fragment = '' } = parts
  return { scheme: scheme.toLowerCase(), userinfo, host, path, query, fragment }
}
