import { resolve } from 'node:path'
import { ExecaError } from 'execa'
import { SyncError } from '../sync-error.ts'
import { type GitSettings, git } from './git.ts'

/** A repository on this machine that commits, trees and blobs are read from. */
export interface Repository {
  /** Absolute path of the work tree or bare repository. */
  readonly folder: string
  /** What git needs to know to get at objects that are still on a server. */
  readonly settings?: GitSettings
}

/**
 * Checks that a folder is a git repository: a work tree, a bare one or a linked worktree.
 *
 * @throws {SyncError} `NOT_A_REPOSITORY`, `GIT_MISSING`, `GIT_FAILED`, or the signal's reason.
 */
export async function openRepository(path: string, signal: AbortSignal): Promise<Repository> {
  const folder = resolve(path)
  try {
    await git(folder, ['rev-parse', '--git-dir'], signal)
    return { folder }
  } catch (error) {
    throw explain(error, folder, signal)
  }
}

/**
 * The commit that a ref names: a branch, a tag (annotated ones are followed), `HEAD` or a commit id.
 *
 * @throws {SyncError} `BAD_REF`, `REF_NOT_FOUND` naming refs that are there, or the signal's reason.
 */
export async function resolveRef(repository: Repository, ref: string, signal: AbortSignal): Promise<string> {
  checkRef(ref, repository.folder)
  try {
    const spec = `${ref}^{commit}`
    return await git(
      repository.folder,
      ['rev-parse', '--verify', '--quiet', '--end-of-options', spec],
      signal,
    )
  } catch (error) {
    signal.throwIfAborted()
    throw await refNotFound(repository, ref, signal, error)
  }
}

/** @throws {SyncError} `BAD_REF` for what is no name of a ref, or means more than a ref to `rev-parse`. */
export function checkRef(ref: string, where: string): void {
  if (ref !== '' && !ref.startsWith('-') && !/[\s:^~?*[\\]|@\{|\.\./.test(ref)) return
  throw new SyncError(
    'BAD_REF',
    `"${ref}" is not a ref of ${where}`,
    'Name a branch, a tag, HEAD or a full commit id.',
  )
}

async function refNotFound(
  repository: Repository,
  ref: string,
  signal: AbortSignal,
  cause: unknown,
): Promise<SyncError> {
  const kinds = ['refs/heads', 'refs/tags', 'refs/remotes']
  const list = ['for-each-ref', '--count=5', '--sort=-creatordate', '--format=%(refname:short)', ...kinds]
  const known = (await git(repository.folder, list, signal)).split('\n').filter(Boolean).join(', ')
  return new SyncError(
    'REF_NOT_FOUND',
    `${repository.folder} has no ref "${ref}"`,
    known === '' ? 'It has no commits yet.' : `It has for example: ${known}.`,
    cause,
  )
}

function explain(error: unknown, folder: string, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason
  if (!(error instanceof ExecaError)) return error
  if (error.code === 'ENOENT') {
    return new SyncError(
      'GIT_MISSING',
      'The program "git" was not found',
      'Install git 2.34 or newer.',
      error,
    )
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
