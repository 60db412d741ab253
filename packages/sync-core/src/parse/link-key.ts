import { rememberLast } from './remember-last.ts'

/** What an index of Postgres is sure to hold beside the source's id: a key may have 2,704 bytes. No page has a longer path. */
export const MAX_PATH_BYTES = 2_000

/** Endings that a link may have or leave out, whatever the file's own; `.html` as in the built site. */
export const PAGE_EXTENSION = /\.(md|mdx|markdown|mdown|mkdn?|qmd|rmd|html?)$/i
/** A folder's own page, by the conventions of sites, of GitHub and of Hugo and Zola. */
export const FOLDER_PAGE = /^(_?index|readme)$/i

/**
 * What pages and links are matched by: the path without its extension, in folded case, the last part first, and of a
 * folder's own page the folder. `Guide/Émile.md` is `émile/guide`: whatever a link leaves out on the left, folders, is a
 * range of an index. Null where an index could not hold it.
 */
export function linkKey(path: string): string | null {
  const slash = path.lastIndexOf('/')
  const last = path.slice(slash + 1)
  if (last === '' || last === '.') return slash < 0 ? '' : linkKey(path.slice(0, slash))
  const name = last.replace(PAGE_EXTENSION, '')
  const folder = slash < 0 ? '' : folderKey(path.slice(0, slash))
  const own = FOLDER_PAGE.test(name) ? '' : foldCase(name)
  const key = own && folder ? `${own}/${folder}` : own || folder
  return key.length * 3 > MAX_PATH_BYTES && Buffer.byteLength(key) > MAX_PATH_BYTES ? null : key
}

const folderKey = rememberLast((folder) => {
  const parts = folder.split('/').filter((part) => part !== '' && part !== '.')
  return foldCase(parts.reverse().join('/'))
})

/**
 * Composed, and then folded in case as Unicode says it in full (CaseFolding.txt, C and F): `ΟΔΟΣ` as `οδος`, `ß` as
 * `ss`, `İ` as an i with a dot above; but a dotless ı is no i.
 */
function foldCase(text: string): string {
  if (/^[ -~]*$/.test(text)) return text.toLowerCase()
  const parts = text.normalize('NFC').split('ı')
  // Three times: ẞ has no upper case of its own, and only upper case parts ligatures.
  const folded = parts.map((part) => part.toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ'))
  return folded.join('ı').normalize('NFC')
}
