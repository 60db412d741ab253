import { SyncError } from '../sync-error.ts'
import { notACommit, refNotFound, repositoryError } from './errors.ts'
import { localGit } from './run-git.ts'

/** The length of the ids tells a repository's object format. */
export const COMMIT_ID = /^([0-9a-f]{40}|[0-9a-f]{64})$/i

/**
 * The commit that a ref names: a branch, a tag (annotated ones are followed), `HEAD` or a commit id; of several things
 * with that name the one that git takes.
 *
 * @param folder absolute path of the work tree or bare repository, here and wherever one is read.
 * @throws {SyncError} `BAD_REF`, `REF_NOT_FOUND` naming refs that are there, `NOT_A_REPOSITORY`, `GIT_MISSING`,
 *   `GIT_FAILED`, or the signal's reason.
 */
export async function resolveRef(folder: string, ref: string, signal: AbortSignal): Promise<string> {
  validateRef(ref, folder)
  const commit = await peel(folder, ref, 'commit', signal)
  if (commit !== null) return commit
  await refuseOtherObjects(folder, ref, ref, folder, signal)
  const listRefs = ['for-each-ref', '--format=%(refname:short)', 'refs/heads', 'refs/tags', 'refs/remotes']
  const known = await localGit(folder, listRefs, signal).catch((error) => {
    signal.throwIfAborted()
    throw repositoryError(error, folder)
  })
  throw refNotFound(folder, ref, known.split('\n').filter(Boolean))
}

/** The object of a type that a name leads to; null where it leads to none. */
export async function peel(folder: string, name: string, type: 'commit' | '', signal: AbortSignal) {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{${type}}`]
  // Where there is none, git prints nothing.
  return (await localGit(folder, args, signal).catch(() => '')) || null
}

/** @param name of the ref in the folder. @throws {SyncError} `BAD_REF` where it is there and leads to no commit. */
export async function refuseOtherObjects(
  folder: string,
  name: string,
  ref: string,
  where: string,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted()
  const oid = await peel(folder, name, '', signal)
  if (oid === null) return
  const type = await localGit(folder, ['cat-file', '-t', oid], signal).catch(() => null)
  signal.throwIfAborted()
  if (type === 'blob' || type === 'tree') throw notACommit(where, ref, type)
}

/** Whether the tree of a commit is here, so that it can be compared with another. */
export async function hasTree(folder: string, commit: string, signal: AbortSignal): Promise<boolean> {
  // With -t rather than -e, simple-git waits for an answer instead of waiting for more.
  const type = await localGit(folder, ['cat-file', '-t', `${commit}^{tree}`], signal).catch(() => null)
  signal.throwIfAborted()
  return type !== null
}

/** Those of the objects that a repository does not have. */
export async function missingObjects(folder: string, oids: readonly string[], signal: AbortSignal): Promise<string[]> {
  const input = `${oids.join('\n')}\n`
  const answers = await localGit(folder, ['cat-file', '--batch-check=%(objectname)'], signal, input)
  const missing = answers.split('\n').filter((line) => line.endsWith(' missing'))
  return [...new Set(missing.map((line) => line.slice(0, line.indexOf(' '))))]
}

/** @throws {SyncError} `BAD_REF` for what is no name of a ref, or means more than a ref to `rev-parse`. */
export function validateRef(ref: string, where: string): void {
  if (ref !== '' && !ref.startsWith('-') && !/[\s:^~?*[\\]|@\{|\.\./.test(ref)) return
  throw new SyncError('BAD_REF', `"${ref}" is not a ref of ${where}`, 'Name a branch, a tag, HEAD or a full commit id.')
}
