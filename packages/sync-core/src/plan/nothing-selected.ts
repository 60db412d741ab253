import { posix } from 'node:path'
import { distance } from 'fastest-levenshtein'
import type { TreeEntry } from '../git/tree.ts'
import { settingStep } from '../run/setting-step.ts'
import { fileFilter, type Selection } from './eligible.ts'

/** A larger tree is not looked at to its end. */
const MAX_SURVEYED_FILES = 1_000_000

/** How many extensions are named, those of most files first. */
const MAX_EXTENSIONS = 5

/**
 * Says why a selection has no file of a tree: which folder may have been meant, or what files there are instead; on a
 * second line the command that selects those, where there is one.
 */
export async function explainNothingSelected(files: AsyncIterable<TreeEntry[]>, selection: Selection): Promise<string> {
  const { subpath, include = [], exclude = [], extensions } = selection
  const tree = await surveyTree(files, selection)
  if (tree.files === 0) return 'the commit has no files'
  if (subpath !== undefined && !tree.folders.has(subpath))
    return `it has no folder "${subpath}"${suggest(subpath, tree.folders, (folder) => ({ subpath: folder }))}`
  const inside = subpath === undefined ? '' : ` in ${subpath}`
  const present = `there are ${listExtensions(tree.extensions)}`
  if (tree.eligible === 0) {
    const step = extensions === undefined ? '' : `\n${settingStep({ extensions: '' })}`
    return `none of its files${inside} is Markdown: ${present}${step}`
  }
  for (const pattern of include) {
    const folder = folderOf(pattern)
    // Without a slash before its end, a pattern is one for every folder.
    const anywhere = !pattern.replace(/\/$/, '').includes('/')
    const isThere = tree.folders.has(folder) || (anywhere && tree.names.has(folder))
    if (folder === '' || isThere) continue
    const corrected = (nearest: string) => ({
      include: include.map((each) => (each === pattern ? each.replace(folder, nearest) : each)),
    })
    return `no file matches include "${pattern}"${suggest(folder, tree.folders, corrected)}`
  }
  const patterns = [...(include.length > 0 ? ['include'] : []), ...(exclude.length > 0 ? ['exclude'] : [])]
  const step = settingStep(Object.fromEntries(patterns.map((option) => [option, ''])))
  return `${patterns.join(' and ')} leave${patterns.length > 1 ? '' : 's'} out all of its ${tree.eligible} Markdown files${inside}: ${present}\n${step}`
}

/** Counts what there is, by extension and whether it could be a page, in the subpath alone. */
async function surveyTree(files: AsyncIterable<TreeEntry[]>, { include, exclude, ...selection }: Selection) {
  const filter = fileFilter(selection)
  const prefix = selection.subpath === undefined ? '' : `${selection.subpath}/`
  const tree = { files: 0, eligible: 0, folders: new Set<string>(), names: new Set<string>() }
  const extensions = new Map<string, number>()
  for await (const entries of files) {
    if (tree.files >= MAX_SURVEYED_FILES) break
    for (const entry of entries) {
      tree.files++
      const path = String(entry.path)
      for (
        let folder = posix.dirname(path);
        folder !== '.' && !tree.folders.has(folder);
        folder = posix.dirname(folder)
      ) {
        tree.folders.add(folder)
        tree.names.add(posix.basename(folder))
      }
      if (!path.startsWith(prefix)) continue
      if (filter.classify(entry) !== null) tree.eligible++
      const extension = posix.extname(path).toLowerCase() || 'without extension'
      extensions.set(extension, (extensions.get(extension) ?? 0) + 1)
    }
  }
  return { ...tree, extensions }
}

/** As ".rst 120, .txt 3". */
function listExtensions(extensions: ReadonlyMap<string, number>): string {
  const sorted = [...extensions].toSorted(([, a], [, b]) => b - a)
  const listed = sorted.slice(0, MAX_EXTENSIONS).map(([extension, count]) => `${extension} ${count}`)
  return listed.join(', ') + (sorted.length > MAX_EXTENSIONS ? ', …' : '')
}

/** The folder that a pattern names before the first part that is itself a pattern or a file; empty where it names none. */
function folderOf(pattern: string): string {
  if (pattern.startsWith('!')) return ''
  const parts = pattern.split('/').filter((part) => part !== '')
  const special = parts.findIndex((part) => /[*?[\\]/.test(part))
  if (special >= 0) return parts.slice(0, special).join('/')
  return (posix.extname(pattern) === '' ? parts : parts.slice(0, -1)).join('/')
}

/** @param corrected the options of a source with the right folder in the place of the wrong one */
function suggest(
  folder: string,
  folders: ReadonlySet<string>,
  corrected: (nearest: string) => Parameters<typeof settingStep>[0],
): string {
  const rank = (each: string) => (each.endsWith(`/${folder}`) ? 0 : distance(each.toLowerCase(), folder.toLowerCase()))
  let nearest: string | undefined
  for (const each of folders) if (nearest === undefined || rank(each) < rank(nearest)) nearest = each
  const step = settingStep(corrected(nearest ?? ''))
  return `${nearest === undefined ? ', nor any other' : `: did you mean ${nearest}?`}\n${step}`
}
