import { SyncError } from '../sync-error.ts'
import { BAD_REF_STEP, notACommit, refNotFound, repositoryError } from './errors.ts'
import { localGit } from './run-git.ts'

/** The length of the ids tells a repository's object format. */
export const COMMIT_ID = /^([0-9a-f]{40}|[0-9a-f]{64})$/i

/**
 * The commit that a ref names: a branch, a tag (annotated ones are followed), `HEAD` or a commit id; of several things
 * with that name the one that git takes.
 *
 * @param folder absolute path of the work tree or bare repository, here and wherever one is read.
 * @param shown what an error calls the ref and the repository, where that is not what they are called here.
 * @throws {SyncError} `BAD_REF`, `REF_NOT_FOUND` naming refs that are there, `NOT_A_REPOSITORY`, `GIT_MISSING`,
 *   `GIT_FAILED`, or the signal's reason.
 */
export async function resolveRef(
  folder: string,
  ref: string,
  signal: AbortSignal,
  shown: { readonly ref: string; readonly where: string } = { ref, where: folder },
): Promise<string> {
  validateRef(ref, folder)
  const commit = await peel(folder, ref, 'commit', signal)
  if (commit !== null) return commit
  const other = await peel(folder, ref, '', signal)
  if (other !== null) {
    const type = await localGit(folder, ['cat-file', '-t', other], signal)
    throw notACommit(shown.where, shown.ref, type === 'tree' ? 'tree' : 'blob')
  }
  signal.throwIfAborted()
  const listRefs = ['for-each-ref', '--format=%(refname:short)', 'refs/heads', 'refs/tags', 'refs/remotes']
  const known = await localGit(folder, listRefs, signal).catch((error) => {
    signal.throwIfAborted()
    throw repositoryError(error, folder)
  })
  const head = await localGit(folder, ['symbolic-ref', '--quiet', '--short', 'HEAD'], signal).catch(() => null)
  throw refNotFound(shown.where, shown.ref, known.split('\n').filter(Boolean), head)
}

/** The object that a name leads to, of one type or of any; null where there is none. */
async function peel(folder: string, name: string, type: 'commit' | '', signal: AbortSignal): Promise<string | null> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{${type}}`]
  // Where there is none, git prints nothing.
  return (await localGit(folder, args, signal).catch(() => '')) || null
}

/** The folders that have the refs of a repository: of a worktree its own and the one that it shares. */
export async function findGitFolders(folder: string, signal: AbortSignal): Promise<string[]> {
  const args = ['rev-parse', '--path-format=absolute', '--git-dir', '--git-common-dir']
  return (await localGit(folder, args, signal)).split('\n')
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
  throw new SyncError('BAD_REF', `"${ref}" is not a ref of ${where}`, BAD_REF_STEP)
}
