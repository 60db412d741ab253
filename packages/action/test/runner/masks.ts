/** What a runner hides in everything that it shows or passes on. */
export interface Masks {
  add(secret: string): void
  /** The text with `***` in the place of each secret. */
  mask(text: string): string
}

/** Masks these secrets and those to be added: whole, by their lines, and as they look encoded. */
export function createMasks(secrets: Iterable<string>): Masks {
  const masks = new Set<string>()
  const masked: Masks = {
    add(secret) {
      const lines = secret.split(/[\r\n]+/).map((line) => line.trim())
      for (const text of [secret, ...lines].filter(Boolean)) for (const form of forms(text)) masks.add(form)
    },
    mask(text) {
      // Longest first: one secret may be part of another.
      const found = [...masks].filter((each) => text.includes(each)).sort((a, b) => b.length - a.length)
      return found.reduce((rest, each) => rest.replaceAll(each, '***'), text)
    },
  }
  for (const secret of secrets) masked.add(secret.trim())
  return masked
}

/** A secret as it stands, in base64 wherever it begins, in JSON, in an address, in XML, and without its quotes. */
function forms(secret: string): string[] {
  const base64 = [0, 1, 2].map((shift) => Buffer.from(secret).subarray(shift).toString('base64').replace(/=+$/, ''))
  const xml = secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
  const unquoted = /^"(.{6,})"$/s.exec(secret)?.[1] ?? secret
  // An end in base64 depends on what follows; it shows less than a byte.
  const whole = base64.map((text) => text.slice(0, text.length - (text.length % 4 === 0 ? 0 : 1)))
  const encoded = whole.filter((text) => text.length >= 8)
  return [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret), xml, unquoted, ...encoded]
}
