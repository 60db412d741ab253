import { isMap, isNode, isScalar, isSeq, YAMLMap } from 'yaml'
import { replaceFile } from '../replace-file.ts'
import { UsageError } from '../usage-error.ts'
import { readDocument } from './document.ts'

/** Adds a source to the file and leaves the rest of it, comments included, as it is. */
export function addToConfig(file: string, id: string, source: Record<string, unknown>): void {
  const { doc } = readDocument(file)
  if (!isMap(doc.get('sources'))) doc.set('sources', new YAMLMap())
  const sources = doc.get('sources') as YAMLMap
  // "{}" would go on in braces on one line.
  sources.flow = false
  sources.set(doc.createNode(id), doc.createNode(source))
  replaceFile(file, doc.toString())
}

/** A setting of a source as the file has it. */
export type SettingValue = string | number | readonly string[]

/** One that is changed; null where it is, or is to be, left out. */
export interface SettingChange {
  readonly key: string
  readonly was: SettingValue | null
  readonly is: SettingValue | null
}

/** Those of these settings that the file has otherwise. */
export function settingChanges(
  file: string,
  id: string,
  settings: Readonly<Record<string, SettingValue | null>>,
): SettingChange[] {
  const { sources } = readDocument(file).doc.toJS()
  const changes = Object.entries(settings).map(([key, is]) => ({ key, was: sources[id][key] ?? null, is }))
  return changes.filter(({ was, is }) => JSON.stringify(was) !== JSON.stringify(is))
}

/** Changes settings of a source in the file and leaves the rest of it, comments included, as it is. */
export function changeInConfig(file: string, id: string, changes: readonly SettingChange[]): void {
  const { doc, keyAt } = readDocument(file)
  const source = doc.getIn(['sources', id], true)
  if (!isMap(source)) {
    const message = `${keyAt(['sources', id])}: "${id}" stands for what is written elsewhere`
    throw new UsageError(message, 'Write its settings out there, then run this again.')
  }
  for (const { key, is } of changes) {
    const old = source.get(key, true)
    if (is === null) source.delete(key)
    // The comment behind a value is one of its own.
    else if (isScalar(old) && !Array.isArray(is)) old.value = is
    else {
      const node = doc.createNode(is)
      if (isNode(old) && old.comment) node.comment = old.comment
      if (isSeq(old) && isSeq(node)) node.flow = old.flow === true
      source.set(key, node)
    }
  }
  replaceFile(file, doc.toString())
}

/** Gives a source another name in the file, in the same place. */
export function renameInConfig(file: string, from: string, to: string): void {
  const { doc } = readDocument(file)
  const sources = doc.get('sources') as YAMLMap
  const pair = sources.items.find(({ key }) => String(key) === from)!
  if (isScalar(pair.key)) pair.key.value = to
  else pair.key = doc.createNode(to)
  replaceFile(file, doc.toString())
}

/** Takes a source out of the file. */
export function removeFromConfig(file: string, id: string): void {
  const { doc } = readDocument(file)
  doc.deleteIn(['sources', id])
  replaceFile(file, doc.toString())
}
