export interface ChangedFiles {
  readonly deleted: readonly string[]
  readonly renamed: readonly (readonly [from: string, to: string])[]
  readonly written: readonly string[]
}

/** What differs between two commits; all files where there is no earlier one. */
export async function changedFiles(
  git: (...args: string[]) => Promise<string>,
  from: string | null,
  to: string,
): Promise<ChangedFiles> {
  if (from === null) {
    const written = (await git('ls-tree', '-r', '-z', '--name-only', to)).split('\0').filter(Boolean)
    return { deleted: [], renamed: [], written }
  }
  const fields = (await git('diff', '--name-status', '-z', '-M', from, to)).split('\0')
  const deleted: string[] = []
  const renamed: [string, string][] = []
  const written: string[] = []
  for (let i = 0; i + 1 < fields.length; ) {
    const [kind = '', path = ''] = [fields[i++], fields[i++]]
    if (kind === 'D') deleted.push(path)
    else if (kind.startsWith('R')) renamed.push([path, fields[i++]!])
    else written.push(path)
  }
  return { deleted, renamed, written }
}
