import { resolve } from 'node:path'
import { redactAddress } from '../redact.ts'
import { SyncError } from '../sync-error.ts'
import { splitUrl } from '../url-parts.ts'

/** Where a database is. */
export type DatabaseAddress =
  | { readonly engine: 'postgres'; readonly url: string; readonly name: string }
  | { readonly engine: 'pglite'; readonly folder: string }

/** Begins as a path does, or has nothing in it that an address, a shell or a file of variables would have. */
const PATH = /^(?:\.{1,2}(?:[/\\]|$)|\/(?!\/)|[a-z]:[/\\])|^(?![~/])[^:=@?#%&'"`<>|$*;,()[\]{}\\]+$/i

/** What an address is that is neither; the first that fits is said. */
const MISREAD = [
  [/^\s|\s$|\p{Cc}/u, 'it begins or ends with a blank, or has a control character'],
  [/^['"`<]/, 'it is in quotes'],
  [/^jdbc:/i, 'it is one of JDBC'],
  [/^\w+\s*=/, 'it has the form "host=… dbname=…" or "NAME=…"'],
  [/^~/, 'only a shell knows what "~" is'],
  [/^postgres(ql)?:\/\//i, 'it cannot be taken apart in one way'],
  [/^[a-z][a-z0-9+.-]*:/i, 'it has a scheme that is not known'],
] as const

/**
 * Reads the address of a Postgres, or the path of a folder.
 *
 * @throws {SyncError} `DATABASE_REFUSED` for anything else, and without it: it may hold a password anywhere.
 */
export function parseDatabaseAddress(where: string): DatabaseAddress {
  const parts = splitUrl(where)
  if (/^postgres(ql)?$/.test(parts?.scheme ?? '') && parts!.fragment === '' && !where.includes(' ')) {
    // The scheme as the driver knows it.
    const url = where.replace(/^[a-z]+/i, parts!.scheme)
    return { engine: 'postgres', url, name: redactAddress(url).replace(/\?.*/, '') }
  }
  if (PATH.test(where) && where.trim() === where && where !== '' && !/\p{Cc}/u.test(where)) {
    return { engine: 'pglite', folder: resolve(where) }
  }
  const why = MISREAD.find(([pattern]) => pattern.test(where))?.[1]
  throw new SyncError(
    'DATABASE_REFUSED',
    `The database address is neither Postgres nor a folder${why ? `: ${why}` : ''}`,
    'Give postgres://user:password@host/database, with / ? # @ and blanks of a password as %2F %3F %23 %40 %20; or the path of a folder for an embedded database, as ./folder.',
  )
}

/** Whether that is the folder of an embedded database rather than the address of a server. @throws {SyncError} */
export const isEmbedded = (where: string): boolean => parseDatabaseAddress(where).engine === 'pglite'
