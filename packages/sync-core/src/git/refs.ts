import { SyncError } from '../sync-error.ts'
import { refNotFound, repositoryError } from './errors.ts'
import { localGit } from './run-git.ts'

/**
 * The commit that a ref names: a branch, a tag (annotated ones are followed), `HEAD` or a commit id.
 *
 * @param folder absolute path of the work tree or bare repository, here and wherever one is read.
 * @throws {SyncError} `BAD_REF`, `REF_NOT_FOUND` naming refs that are there, `NOT_A_REPOSITORY`, `GIT_MISSING`,
 *   `GIT_FAILED`, or the signal's reason.
 */
export async function resolveRef(folder: string, ref: string, signal: AbortSignal): Promise<string> {
  validateRef(ref, folder)
  const revParse = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`]
  // For a ref that does not exist, git prints nothing.
  const commit = await localGit(folder, revParse, signal).catch(() => '')
  if (commit !== '') return commit
  const listRefs = ['for-each-ref', '--format=%(refname:short)', 'refs/heads', 'refs/tags', 'refs/remotes']
  const known = await localGit(folder, listRefs, signal).catch((error) => {
    signal.throwIfAborted()
    throw repositoryError(error, folder)
  })
  throw refNotFound(folder, ref, known.split('\n').filter(Boolean))
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
