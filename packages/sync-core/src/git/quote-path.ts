/** Longer paths are cut in a message. */
const MAX_SHOWN = 200

/** A path of a tree for a message; that of the whole tree is empty. */
export function quotePath(path: string): string {
  if (path === '') return 'the root folder'
  return path.length > MAX_SHOWN ? `"${path.slice(0, MAX_SHOWN)}…"` : `"${path}"`
}
