import { Readable } from 'node:stream'
import { SyncError } from '../sync-error.ts'
import { readStderr } from './errors.ts'
import { startGit } from './git.ts'
import { lineBatches } from './line-batches.ts'
import type { Repository } from './refs.ts'

/** A blob as it was read; `content` is null where it is larger than the limit. */
export interface Blob {
  readonly sizeBytes: number
  readonly content: Buffer | null
}

export interface BlobReading<T> {
  readonly repository: Repository
  /** What to read, in order; pulled as the blobs are consumed, so it may be endless. */
  readonly items: Iterable<T> | AsyncIterable<T>
  readonly getOid: (item: T) => string
  /** Larger blobs are skipped without being held in memory. */
  readonly maxBytes: number
  readonly signal: AbortSignal
}

/**
 * Reads blobs through one `git cat-file --batch`, each beside its item. The two pipes are all the back-pressure there
 * is: git stops reading names when its output is not read.
 *
 * @throws {SyncError} `GIT_FAILED` where an object is missing or git ends early, what `items` throws, or the signal's
 *   reason.
 */
export async function* readBlobs<T>(reading: BlobReading<T>): AsyncGenerator<{ item: T; blob: Blob }> {
  const { repository, items, getOid, maxBytes, signal } = reading
  const pending: T[] = []
  let failure: { cause: unknown } | undefined
  const names = async function* () {
    try {
      for await (const item of items) {
        pending.push(item)
        yield getOid(item)
      }
    } catch (cause) {
      failure = { cause }
      throw cause
    }
  }
  const input = Readable.from(lineBatches(names()), { objectMode: false, highWaterMark: 1 })
  const git = await startGit(repository.folder, ['cat-file', '--batch'], signal, { input })
  try {
    const bytes = byteReader(git.output)
    for (let header = await bytes.line(); header !== null; header = await bytes.line()) {
      const [oid = '', type = '', size = ''] = header.split(' ')
      if (type !== 'blob') throw missingObject(repository, oid, type)
      const sizeBytes = Number(size)
      const content = sizeBytes > maxBytes ? await bytes.skip(sizeBytes) : await bytes.take(sizeBytes)
      await bytes.skip(1)
      yield { item: pending.shift()!, blob: { sizeBytes, content } }
      signal.throwIfAborted()
    }
    await git.ended
  } catch (error) {
    if (failure) throw failure.cause
    signal.throwIfAborted()
    throw error instanceof SyncError ? error : unreadable(repository, error)
  } finally {
    await git.stop()
  }
}

function unreadable({ folder }: Repository, error: unknown): SyncError {
  // What git says when it would fetch a missing object and may not talk to anyone.
  const partial = /transport '.*' not allowed/.test(readStderr(error))
  const message = `git could not read from ${folder}${partial ? ', a partial clone that lacks files' : ''}`
  const hint = partial
    ? 'Name the server that it was cloned from instead, or fetch all of it: git fetch --refetch --no-filter'
    : 'Check the repository with: git fsck'
  return new SyncError('GIT_FAILED', message, hint, error)
}

function missingObject({ folder }: Repository, oid: string, type: string): SyncError {
  const hint = 'The repository is damaged or incomplete: check it with git fsck, or clone it anew.'
  return new SyncError('GIT_FAILED', `object ${oid} of ${folder} is ${type || 'missing'}`, hint)
}

/** Takes lines and counted bytes out of a stream, copying only what spans two of its buffers. */
function byteReader(stream: AsyncIterable<Buffer>) {
  const buffers = stream[Symbol.asyncIterator]()
  let buffer: Buffer = Buffer.alloc(0)

  async function more(): Promise<boolean> {
    const { value, done } = await buffers.next()
    if (done) return false
    buffer = buffer.length === 0 ? value : Buffer.concat([buffer, value])
    return true
  }
  async function moreOfObject(): Promise<void> {
    if (!(await more())) throw new Error('git ended in the middle of an object')
  }

  return {
    async line(): Promise<string | null> {
      let end = buffer.indexOf(10)
      for (; end < 0; end = buffer.indexOf(10)) if (!(await more())) return null
      const line = buffer.toString('latin1', 0, end)
      buffer = buffer.subarray(end + 1)
      return line
    },
    async take(count: number): Promise<Buffer> {
      if (buffer.length < count) {
        const parts = [buffer]
        for (let have = buffer.length; have < count; have += buffer.length) {
          buffer = Buffer.alloc(0)
          await moreOfObject()
          parts.push(buffer)
        }
        buffer = Buffer.concat(parts)
      }
      const taken = buffer.subarray(0, count)
      buffer = buffer.subarray(count)
      return taken
    },
    async skip(count: number): Promise<null> {
      for (let left = count; ; await moreOfObject()) {
        const here = Math.min(left, buffer.length)
        buffer = buffer.subarray(here)
        left -= here
        if (left === 0) return null
      }
    },
  }
}
