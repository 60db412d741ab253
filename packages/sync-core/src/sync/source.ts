import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { isBrokenAddress, isRemote, isUnencrypted, parseAddress } from '../git/address.ts'
import type { Origin } from '../git/origin.ts'
import { linkKey } from '../parse/link-key.ts'
import { redactAddress } from '../redact.ts'
import type { SourceRecord } from '../store/start-run.ts'
import { SyncError } from '../sync-error.ts'

/** More than any repository that people write has, and less than a machine or a database minds. */
export const DEFAULT_MAX_FILES = 1_000_000

/** A git ref whose Markdown files are mirrored. */
export interface Source {
  /** A short name, the first part of every key in the database: letters, digits, `.`, `_` and `-`. */
  readonly id: string
  /** Path of a repository on this machine, or an https, ssh or file address. */
  readonly repo: string
  /** Branch, tag, `HEAD` or commit id. */
  readonly ref: string
  /** A folder of the repository; nothing outside it is mirrored. Paths stay relative to the root. */
  readonly subpath?: string | undefined
  /** Patterns as in .gitignore; only Markdown files that they name are mirrored. */
  readonly include?: readonly string[] | undefined
  /** Patterns as in .gitignore; Markdown files that they name are not mirrored. */
  readonly exclude?: readonly string[] | undefined
  /** Endings of the files that are pages; `md`, `markdown` and `mdx` by default. */
  readonly extensions?: readonly string[] | undefined
  /**
   * The folder that a leading slash of a link means, "." for the root; the subpath by default. Where no page is there,
   * the root of the repository counts, then each folder that the linking page lies in.
   */
  readonly linkRoot?: string | undefined
  /**
   * How many files the commit may have in the subpath, pages or not; 1,000,000 by default. A run that finds more is
   * `blocked`: a few kilobytes of a repository may stand for any number of files.
   */
  readonly maxFiles?: number | undefined
  /** The language that its text is searched in, as Postgres calls its dictionaries; `english` by default. */
  readonly language?: string | undefined
}

const ADDRESS_HINT =
  'Give an https, ssh or file address without a query, or the path of a repository on this machine. In a user or password write / ? # @ and blanks as %2F %3F %23 %40 %20; write ./ before a path that looks like an address.'
const DEFAULT_LANGUAGE = 'english'

/** @throws {SyncError} `BAD_SOURCE` where it could not be synced whatever the repository holds. */
export function validateSource(source: Source): void {
  const { id, repo, subpath, linkRoot, language = DEFAULT_LANGUAGE } = source
  const { include = [], exclude = [], extensions = [], maxFiles } = source
  const refuse = (message: string, hint: string): never => {
    throw new SyncError('BAD_SOURCE', message, hint)
  }
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(id)) {
    const hint = 'Use up to 64 letters, digits, ".", "_" and "-", beginning with a letter or digit.'
    refuse(`"${id}" cannot be the name of a source`, hint)
  }
  if (repo.trim() === '' || repo.startsWith('-') || repo.includes('\0')) {
    refuse(`source "${id}" has no repository that could be read`, 'Give the path of a git repository.')
  }
  for (const [name, folder] of Object.entries({ subpath, linkRoot: linkRoot === '.' ? undefined : linkRoot })) {
    const outside = folder?.split('/').some((part) => part === '..' || part === '.' || part === '')
    if (folder === undefined || !(outside || folder.includes('\0'))) continue
    const hint = 'Give it as "docs/guide", from the root and without a slash at either end.'
    refuse(`the ${name} "${folder}" of source "${id}" is not a folder of a repository`, hint)
  }
  const ending = extensions.find((extension) => !/^\.?[\w-]+(\.[\w-]+)*$/.test(extension))
  if (ending !== undefined) {
    const hint = 'Give extensions as "md" or "mdx", without patterns; patterns go into include and exclude.'
    refuse(`source "${id}" has an extension that no file has: ${JSON.stringify(ending)}`, hint)
  }
  const bad = [...include, ...exclude].find((pattern) => pattern.trim() === '' || /[\0\n]/.test(pattern))
  if (bad !== undefined) {
    const hint = 'Write patterns as in .gitignore, for example "docs/**" or "*.draft.md".'
    refuse(`source "${id}" has a pattern that names nothing: ${JSON.stringify(bad)}`, hint)
  }
  if (maxFiles !== undefined && !(Number.isSafeInteger(maxFiles) && maxFiles > 0)) {
    refuse(`source "${id}" may have ${maxFiles} files, which is no number of files`, 'Give maxFiles as 1 or more.')
  }
  if (!/^[a-z_]{1,63}$/.test(language)) {
    const message = `source "${id}" has a language that no dictionary is called by: ${JSON.stringify(language)}`
    const hint = 'Give it as Postgres has it, for example "english" or "german"; "simple" takes words as they stand.'
    refuse(message, hint)
  }
  if (isUnencrypted(repo)) {
    const message = `source "${id}" has an address that is not fetched, because it is not encrypted: ${redactAddress(repo)}`
    refuse(message, 'Give it as https or ssh: by http anyone on the way could read and change all of it.')
  }
  if (isRemote(repo) ? parseAddress(repo) === null : isBrokenAddress(repo)) {
    const shown = repo.includes('://') ? `: ${redactAddress(repo)}` : ''
    refuse(`source "${id}" has an address that is not fetched${shown}`, ADDRESS_HINT)
  }
}

const CLONES = '.tidemark/clones'

/**
 * Where the commits of a source come from.
 * @param clones folder for the clones of those that are on a server.
 * @param aside whether to stay out of the clone that the holder of the source's lease may be fetching into.
 */
export async function openOrigin({ id, repo, ref }: Source, clones = CLONES, aside = false): Promise<Origin> {
  // Only the one that is needed is loaded.
  if (isRemote(repo))
    return (await import('../git/remote.ts')).remoteOrigin(
      repo,
      ref,
      resolve(clones, aside ? 'dry-run' : '', `${id}.git`),
    )
  return (await import('../git/origin.ts')).localOrigin(resolve(repo), ref)
}

/** The commit that the ref of a source names, and where it was found. */
export interface Head {
  readonly origin: Origin
  readonly commit: string
}

/**
 * Looks up the head of a source for a run that begins later: beside the opening of a database, for example.
 * @param clones folder for clones of repositories that are on a server.
 */
export async function findHead(source: Source, clones: string | undefined, signal: AbortSignal): Promise<Head> {
  validateSource(source)
  const origin = await openOrigin(source, clones)
  return { origin, commit: await origin.resolveCommit(signal) }
}

/**
 * The commit that a source's ref names now; asks its server where it is on one, and fetches nothing.
 *
 * @throws {SyncError} `BAD_SOURCE`, `NOT_A_REPOSITORY`, `BAD_REF`, `REF_NOT_FOUND`, `FETCH_FAILED`, `FETCH_REFUSED`,
 *   or the signal's reason.
 */
export async function currentCommit(source: Source, signal: AbortSignal): Promise<string> {
  validateSource(source)
  return (await openOrigin(source)).resolveCommit(signal)
}

/** Digests of what a bookmark, and of what a run is made with: when they are others, what those say no longer counts. */
export function sourceDigests(source: Source): Pick<SourceRecord, 'fingerprint' | 'settings'> {
  const { fingerprint, settings } = sourceRecord(source)
  return { fingerprint, settings }
}

/**
 * What the database remembers of a source: its repository as it may be shown, a path made absolute or an address
 * without its secrets, and a digest of what a bookmark is made with: when it is another, the bookmark says nothing.
 */
export function sourceRecord(source: Source): SourceRecord {
  const { id, ref, subpath = null, include = [], exclude = [], extensions, language = DEFAULT_LANGUAGE } = source
  const linkRoot = source.linkRoot ?? subpath ?? '.'
  const repo = isRemote(source.repo) ? redactAddress(source.repo) : resolve(source.repo)
  const parts = JSON.stringify([repo, ref, subpath, include, exclude, extensions, linkRoot])
  const fingerprint = createHash('sha256').update(parts).digest('hex').slice(0, 16)
  const settings = `${fingerprint} ${source.maxFiles ?? DEFAULT_MAX_FILES}`
  return { id, repo, ref, language, linkRoot: linkKey(`${linkRoot}/index`) ?? '', fingerprint, settings }
}
