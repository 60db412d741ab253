import { distance } from 'fastest-levenshtein'
import { SyncError } from '../sync-error.ts'
import { ExecaError } from './execa.ts'
import { git, succeeds } from './git.ts'

/** A repository on this machine that commits, trees and blobs are read from. */
export interface Repository {
  /** Absolute path of the work tree or bare repository. */
  readonly folder: string
}

/**
 * The commit that a ref names: a branch, a tag (annotated ones are followed), `HEAD` or a commit id.
 *
 * @throws {SyncError} `BAD_REF`, `REF_NOT_FOUND` naming refs that are there, `NOT_A_REPOSITORY`, `GIT_MISSING`,
 *   `GIT_FAILED`, or the signal's reason.
 */
export async function resolveRef(repository: Repository, ref: string, signal: AbortSignal): Promise<string> {
  checkRef(ref, repository.folder)
  try {
    const spec = `${ref}^{commit}`
    return await git(repository.folder, ['rev-parse', '--verify', '--quiet', '--end-of-options', spec], signal)
  } catch (error) {
    signal.throwIfAborted()
    await checkRepository(repository, signal)
    throw await refNotFound(repository, ref, signal, error)
  }
}

/** Whether the tree of a commit is here, so that it can be compared with another. */
export function hasTree({ folder }: Repository, commit: string, signal: AbortSignal): Promise<boolean> {
  return succeeds(git(folder, ['cat-file', '-e', `${commit}^{tree}`], signal), signal)
}

/** Asked only where something else has failed: it is one process more. */
async function checkRepository({ folder }: Repository, signal: AbortSignal): Promise<void> {
  try {
    await git(folder, ['rev-parse', '--git-dir'], signal)
  } catch (error) {
    throw explain(error, folder, signal)
  }
}

/** @throws {SyncError} `BAD_REF` for what is no name of a ref, or means more than a ref to `rev-parse`. */
export function checkRef(ref: string, where: string): void {
  if (ref !== '' && !ref.startsWith('-') && !/[\s:^~?*[\\]|@\{|\.\./.test(ref)) return
  throw new SyncError('BAD_REF', `"${ref}" is not a ref of ${where}`, 'Name a branch, a tag, HEAD or a full commit id.')
}

async function refNotFound(
  repository: Repository,
  ref: string,
  signal: AbortSignal,
  cause: unknown,
): Promise<SyncError> {
  const kinds = ['refs/heads', 'refs/tags', 'refs/remotes']
  const list = ['for-each-ref', '--format=%(refname:short)', ...kinds]
  const known = (await git(repository.folder, list, signal)).split('\n').filter(Boolean)
  return noSuchRef(repository.folder, ref, known, cause)
}

/** The error of a ref that is not there, naming those that are there and most like it. */
export function noSuchRef(where: string, ref: string, known: readonly string[], cause?: unknown): SyncError {
  const nearest = known
    .map((name) => ({ name, far: distance(name, ref) }))
    .sort((a, b) => a.far - b.far)
    .slice(0, 5)
    .map(({ name }) => name)
  return new SyncError(
    'REF_NOT_FOUND',
    `${where} has no ref "${ref}"`,
    nearest.length === 0 ? 'It has no commits yet.' : `Nearest to it are: ${nearest.join(', ')}.`,
    cause,
  )
}

function explain(error: unknown, folder: string, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason
  if (!(error instanceof ExecaError)) return error
  if (error.code === 'ENOENT') {
    return new SyncError('GIT_MISSING', 'The program "git" was not found', 'Install git 2.34 or newer.', error)
  }
  const detail = String(error.stderr ?? '').trim()
  if (/dubious ownership/.test(detail)) {
    return new SyncError(
      'GIT_FAILED',
      `${folder} belongs to another user, and git refuses to read it`,
      `Allow it with: git config --global --add safe.directory ${folder}`,
      error,
    )
  }
  return new SyncError(
    'NOT_A_REPOSITORY',
    `${folder} is not a git repository`,
    'Give the path of a work tree or of a bare repository.',
    error,
  )
}
