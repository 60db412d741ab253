import { openRepository, resolveRef } from '../git/repository.ts'
import { checkedSource, type Source } from './source.ts'

/**
 * The commit that a source's ref names now.
 *
 * @throws {SyncError} `BAD_SOURCE`, `NOT_A_REPOSITORY`, `BAD_REF`, `REF_NOT_FOUND`, or the signal's reason.
 */
export async function currentCommit(source: Source, signal: AbortSignal): Promise<string> {
  checkedSource(source)
  return resolveRef(await openRepository(source.repo, signal), source.ref, signal)
}
