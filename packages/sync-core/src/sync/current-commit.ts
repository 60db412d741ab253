import { originOf, type Source, validateSource } from './source.ts'

/**
 * The commit that a source's ref names now; a server is asked, and nothing is fetched.
 *
 * @throws {SyncError} `BAD_SOURCE`, `NOT_A_REPOSITORY`, `BAD_REF`, `REF_NOT_FOUND`, `FETCH_FAILED`, `FETCH_REFUSED`,
 *   or the signal's reason.
 */
export async function currentCommit(source: Source, signal: AbortSignal): Promise<string> {
  validateSource(source)
  return originOf(source, '').head(signal)
}
