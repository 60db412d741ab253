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
  reading: Reading<T>,
): AsyncGenerator<{ item: T; object: ReadObject }> {
  const { oidOf, signal } = reading
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
      const item = pending.shift()!
      yield { item, object: await readObject(folder, bytes, header, item, reading) }
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

/** How many objects are asked for before the first of them is read. */
const OBJECTS_PER_REQUEST = 500

/**
 * Starts a git that reads objects as it is asked for them, where what is read next depends on what was read: one git for
 * each step takes longer than the reading. Errors are those of {@link readObjects}.
 */
export async function startObjectReader<T extends { readonly path: string }>(folder: string, reading: Reading<T>) {
  const { oidOf, signal } = reading
  const git = await startGit(folder, ['cat-file', '--batch'], signal, { asks: true })
  const bytes = byteReader(git.output)
  async function* read(items: readonly T[]): AsyncGenerator<{ item: T; object: ReadObject }> {
    for (let start = 0; start < items.length; start += OBJECTS_PER_REQUEST) {
      const request = items.slice(start, start + OBJECTS_PER_REQUEST)
      git.ask(request.map((item) => `${oidOf(item)}\n`).join(''))
      for (const item of request) {
        const header = await bytes.line()
        if (header === null) await git.ended
        yield { item, object: await readObject(folder, bytes, header ?? '', item, reading) }
        signal.throwIfAborted()
      }
    }
  }
  return {
    async *read(items: readonly T[]) {
      try {
        yield* read(items)
      } catch (error) {
        signal.throwIfAborted()
        throw error instanceof SyncError ? error : unreadable(folder, error)
      }
    },
    stop: git.stop,
  }
}

type ByteReader = ReturnType<typeof byteReader>

/** The object behind its header, with the line end behind it. */
async function readObject<T extends { readonly path: string }>(
  folder: string,
  bytes: ByteReader,
  header: string,
  item: T,
  { type, oidOf, maxBytes }: Reading<T>,
): Promise<ReadObject> {
  const [, found = '', size = ''] = header.trimEnd().split(' ')
  if (found !== type) throw wrongObject(folder, item.path, oidOf(item), type, found)
  const sizeBytes = Number(size)
  const content = (await bytes.take(sizeBytes + 1, sizeBytes <= maxBytes))?.subarray(0, sizeBytes) ?? null
  return { sizeBytes, content }
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
