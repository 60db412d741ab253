import { Readable } from 'node:stream'
import { SyncError } from '../sync-error.ts'
import { gitStream } from './git.ts'
import { inPieces } from './in-pieces.ts'
import type { Repository } from './repository.ts'

/** A blob as it was read; `content` is null where it is larger than the limit. */
export interface Blob {
  readonly sizeBytes: number
  readonly content: Buffer | null
}

export interface BlobReading<T> {
  readonly repository: Repository
  /** What to read, in order; asked for as the answers are taken, so it may be endless. */
  readonly wanted: Iterable<T> | AsyncIterable<T>
  readonly oidOf: (item: T) => string
  /** Larger blobs are passed over without being held in memory. */
  readonly maxBytes: number
  readonly signal: AbortSignal
}

/**
 * Reads blobs through one `git cat-file --batch`, each beside the item that asked for it.
 *
 * The two pipes are all the back-pressure there is: git stops reading names when nobody takes its answers.
 *
 * @throws {SyncError} `GIT_FAILED` where an object is missing or git ends early, what `wanted` throws, or the signal's
 *   reason.
 */
export async function* readBlobs<T>(reading: BlobReading<T>): AsyncGenerator<{ item: T; blob: Blob }> {
  const { repository, wanted, oidOf, maxBytes, signal } = reading
  const pending: T[] = []
  let failure: { cause: unknown } | undefined
  const names = async function* () {
    try {
      for await (const item of wanted) {
        pending.push(item)
        yield `${oidOf(item)}\n`
      }
    } catch (cause) {
      failure = { cause }
      throw cause
    }
  }
  const input = Readable.from(inPieces(names()), { objectMode: false, highWaterMark: 1 })
  const child = gitStream(repository.folder, ['cat-file', '--batch'], signal, { input })
  try {
    const bytes = byteReader(child.pieces)
    for (let header = await bytes.line(); header !== null; header = await bytes.line()) {
      const [oid = '', type = '', size = ''] = header.split(' ')
      if (type !== 'blob') throw missingObject(repository, oid, type)
      const sizeBytes = Number(size)
      const content = sizeBytes > maxBytes ? await bytes.skip(sizeBytes) : await bytes.take(sizeBytes)
      await bytes.skip(1)
      yield { item: pending.shift()!, blob: { sizeBytes, content } }
      signal.throwIfAborted()
    }
    await child.ended
  } catch (error) {
    if (failure) throw failure.cause
    signal.throwIfAborted()
    if (error instanceof SyncError) throw error
    throw unreadable(repository, error)
  } finally {
    await child.stop()
  }
}

function unreadable({ folder }: Repository, error: unknown): SyncError {
  // What git says when it would fetch a missing object and may not talk to anyone.
  const { stderr = '' } = error as { stderr?: string | Uint8Array }
  const partial = /transport '.*' not allowed/.test(Buffer.from(stderr).toString())
  return new SyncError(
    'GIT_FAILED',
    `git could not read from ${folder}${partial ? ', a partial clone that lacks files' : ''}`,
    partial
      ? 'Name the server that it was cloned from instead, or fetch all of it: git fetch --refetch --no-filter'
      : 'Check the repository with: git fsck',
    error,
  )
}

function missingObject(repository: Repository, oid: string, type: string): SyncError {
  return new SyncError(
    'GIT_FAILED',
    `object ${oid} of ${repository.folder} is ${type || 'missing'}`,
    'The repository is damaged or incomplete: check it with git fsck, or clone it anew.',
  )
}

/** Takes lines and counted bytes out of a stream, copying only what spans two of its pieces. */
function byteReader(stream: AsyncIterable<Buffer>) {
  const pieces = stream[Symbol.asyncIterator]()
  let buffer: Buffer = Buffer.alloc(0)

  async function more(): Promise<boolean> {
    const { value, done } = await pieces.next()
    if (done) return false
    buffer = buffer.length === 0 ? value : Buffer.concat([buffer, value])
    return true
  }

  return {
    async line(): Promise<string | null> {
      for (;;) {
        const end = buffer.indexOf(10)
        if (end >= 0) {
          const line = buffer.toString('latin1', 0, end)
          buffer = buffer.subarray(end + 1)
          return line
        }
        if (!(await more())) return null
      }
    },
    async take(count: number): Promise<Buffer> {
      if (buffer.length < count) {
        const parts = [buffer]
        for (let have = buffer.length; have < count; have += buffer.length) {
          buffer = Buffer.alloc(0)
          if (!(await more())) throw new Error('git ended in the middle of an object')
          parts.push(buffer)
        }
        buffer = Buffer.concat(parts)
      }
      const taken = buffer.subarray(0, count)
      buffer = buffer.subarray(count)
      return taken
    },
    async skip(count: number): Promise<null> {
      for (let left = count; ; ) {
        const here = Math.min(left, buffer.length)
        buffer = buffer.subarray(here)
        left -= here
        if (left === 0) return null
        if (!(await more())) throw new Error('git ended in the middle of an object')
      }
    },
  }
}
