import { renameSync, writeFileSync } from 'node:fs'
import { isMap, YAMLMap } from 'yaml'
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
  writeConfig(file, doc.toString())
}

/** Takes a source out of the file. */
export function removeFromConfig(file: string, id: string): void {
  const { doc } = readDocument(file)
  doc.deleteIn(['sources', id])
  writeConfig(file, doc.toString())
}

/** Writes the whole file or nothing: beside it first, then in its place. @throws an error with a hint */
export function writeConfig(file: string, text: string): void {
  const draft = `${file}.${process.pid}.tmp`
  try {
    writeFileSync(draft, text)
    renameSync(draft, file)
  } catch (error) {
    const message = `${file} cannot be written: ${(error as Error).message}`
    throw new ConfigWriteError(message, 'Choose a folder that you may write to.', error)
  }
}

/** A fault of the machine rather than of the user: exit code 1. */
class ConfigWriteError extends UsageError {
  override readonly exitCode = 1
}
