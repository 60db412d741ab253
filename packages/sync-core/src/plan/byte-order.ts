/** Compares two paths as git and `COLLATE "C"` do: by their UTF-8 bytes, which UTF-16 order is not above U+D7FF. */
export function byteOrder(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b))
}
