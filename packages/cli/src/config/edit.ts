import { isMap, YAMLMap } from 'yaml'
import { readDocument } from './document.ts'
import { writeConfig } from './write.ts'

/** Adds a source to the file and leaves the rest of it, comments included, as it is. */
export function addToConfig(file: string, id: string, source: Record<string, unknown>): void {
  const { doc } = readDocument(file)
  if (!isMap(doc.get('sources'))) doc.set('sources', new YAMLMap())
  const sources = doc.get('sources') as YAMLMap
  // "{}" would go on in braces on one line.
  sources.flow = false
  sources.set(doc.createNode(id), doc.createNode(source))
  writeConfig(file, doc.toString())
}

/** Takes a source out of the file. */
export function removeFromConfig(file: string, id: string): void {
  const { doc } = readDocument(file)
  doc.deleteIn(['sources', id])
  writeConfig(file, doc.toString())
}
