import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { deserialize, serialize } from 'node:v8'

/** A message: its bytes, or how many of them are in the spool. */
export type Packed = Uint8Array | number

/** Less than a socket takes at once. What is left of a larger message waits for its sender's event loop, again and again. */
const MAX_INLINE_BYTES = 128 * 1024
const SLOT_BYTES = 32 * 1024 * 1024

/**
 * Opens a file without a name beside a database's folder, by which two processes hand over large messages: a batch of an
 * import took 30 ms through a socket, and takes 3. Returns null where there can be none; all goes through the socket then.
 */
export function openSpool(folder: string): number | null {
  try {
    const path = `${folder}.spool`
    // Never one that is there, which may be a link that another user has put there.
    rmSync(path, { force: true })
    const fd = openSync(path, 'wx+', 0o600)
    rmSync(path)
    return fd
  } catch {
    return null
  }
}

export function closeSpool(spool: number | null): void {
  if (spool !== null) closeSync(spool)
}

/** @param slot a place in the spool whose last message has been read. */
export function pack(message: unknown, spool: number | null, slot: number): Packed {
  const bytes = serialize(message)
  const { length } = bytes
  if (spool === null || length <= MAX_INLINE_BYTES || length > SLOT_BYTES) return bytes
  try {
    return writeSync(spool, bytes, 0, length, slot * SLOT_BYTES) === length ? length : bytes
  } catch {
    // A full disk, which the database has to meet by itself.
    return bytes
  }
}

export function unpack(packed: Packed, spool: number | null, slot: number): unknown {
  if (typeof packed !== 'number') return deserialize(packed)
  const bytes = Buffer.allocUnsafe(packed)
  for (let read = 0; read < packed; ) read += readSync(spool!, bytes, read, packed - read, slot * SLOT_BYTES + read)
  return deserialize(bytes)
}
