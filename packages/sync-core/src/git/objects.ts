import { SyncError } from '../sync-error.ts'
import { readStderr } from './errors.ts'
import { quotePath } from './quote-path.ts'
import { startGit } from './run-git.ts'

/** An object as it was read; `content` is null where it is larger than the limit. */
export interface ReadObject {
  readonly sizeBytes: number
  readonly content: Buffer | null
}

/** What is read, and which id of an item that is. */
interface Reading<T> {
  readonly type: 'blob' | 'tree'
  readonly oidOf: (item: T) => string
  /** Larger objects are skipped without being held in memory. */
  readonly maxBytes: number
  readonly signal: AbortSignal
}

/**
 * Reads objects through one `git cat-file --batch`, each beside its item. The two pipes are all the back-pressure there
 * is: git stops reading names when its output is not read.
 *
 * @param items what to read, in order; pulled as the objects are consumed, so it may be endless.
 * @throws {SyncError} `GIT_FAILED` where an object is missing, of another type, or git ends early, what `items` throws,
 *   or the signal's reason.
 */
export async function* readObjects<T extends { readonly path: string }>(
  folder: string,
  items: Iterable<T> | AsyncIterable<T>,
  { type, oidOf, maxBytes, signal }: Reading<T>,
): AsyncGenerator<{ item: T; object: ReadObject }> {
  const pending: T[] = []
  let failure: unknown
  const names = async function* () {
    try {
      for await (const item of items) {
        pending.push(item)
        yield oidOf(item)
      }
    } catch (error) {
      failure = error
      throw error
    }
  }
  const git = await startGit(folder, ['cat-file', '--batch'], signal, { input: names() })
  try {
    const bytes = byteReader(git.output)
    for (let header = await bytes.line(); header !== null; header = await bytes.line()) {
      const [, found = '', size = ''] = header.trimEnd().split(' ')
      const item = pending.shift()!
      if (found !== type) throw wrongObject(folder, item.path, oidOf(item), type, found)
      const sizeBytes = Number(size)
      // With the line end behind it.
      const content = (await bytes.take(sizeBytes + 1, sizeBytes <= maxBytes))?.subarray(0, sizeBytes) ?? null
      yield { item, object: { sizeBytes, content } }
      signal.throwIfAborted()
    }
    await git.ended
  } catch (error) {
    if (failure) throw failure
    signal.throwIfAborted()
    throw error instanceof SyncError ? error : unreadable(folder, error)
  } finally {
    await git.stop()
  }
}

function unreadable(folder: string, error: unknown): SyncError {
  // What git says when it would fetch a missing object and may not talk to anyone.
  const partial = /transport '.*' not allowed/.test(readStderr(error))
  const message = `git could not read from ${folder}${partial ? ', a partial clone that lacks files' : ''}`
  const hint = partial
    ? 'Name the server that it was cloned from instead, or fetch all of it: git fetch --refetch --no-filter'
    : 'Check the repository with: git fsck'
  return new SyncError('GIT_FAILED', message, hint, error)
}

function wrongObject(folder: string, path: string, oid: string, expected: string, found: string): SyncError {
  const what = found === 'missing' ? 'is missing' : `is a ${found} instead of a ${expected}`
  const hint = 'The repository is damaged or incomplete: check it with git fsck, or clone it anew.'
  return new SyncError('GIT_FAILED', `${quotePath(path)} of ${folder} ${what} (object ${oid})`, hint)
}

/** Takes lines and counted bytes out of a stream, at once where it has them, copying only what spans two of its buffers. */
function byteReader(stream: AsyncIterable<Buffer>) {
  const buffers = stream[Symbol.asyncIterator]()
  let buffer: Buffer = Buffer.alloc(0)
  const cut = (count: number): Buffer => {
    const part = buffer.subarray(0, count)
    buffer = buffer.subarray(part.length)
    return part
  }
  const readLine = async (): Promise<string | null> => {
    while (buffer.indexOf(10) < 0) {
      const { value, done } = await buffers.next()
      if (done) return null
      buffer = Buffer.concat([buffer, value])
    }
    return line()
  }
  const read = async (count: number, wanted: boolean): Promise<Buffer | null> => {
    const parts: Buffer[] = []
    for (let left = count; left > 0; ) {
      if (buffer.length === 0) buffer = (await buffers.next()).value
      if (buffer === undefined) throw new Error('git ended in the middle of an object')
      const part = cut(left)
      left -= part.length
      if (wanted) parts.push(part)
    }
    return wanted ? Buffer.concat(parts) : null
  }
  /** The next line; null at the end of the stream. */
  const line = (): string | null | Promise<string | null> => {
    const end = buffer.indexOf(10)
    return end < 0 ? readLine() : cut(end + 1).toString('latin1', 0, end)
  }
  /** So many bytes; null where they are not wanted. */
  const take = (count: number, wanted: boolean): Buffer | null | Promise<Buffer | null> =>
    wanted && count <= buffer.length ? cut(count) : read(count, wanted)
  return { line, take }
}
