/**
 * Compares two paths as git and `COLLATE "C"` do: by their UTF-8 bytes, which is the order of code points. UTF-16
 * differs from that only where one side has a surrogate and the other a unit above all surrogates.
 */
export function byteOrder(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)]
    if (x !== y) return inCodePointOrder(x) - inCodePointOrder(y)
  }
  return a.length - b.length
}

/** Surrogates, which stand for code points above U+FFFF, behind all other units, also those above the surrogates. */
function inCodePointOrder(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x2800 : unit
}
