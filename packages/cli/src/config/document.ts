import { readFileSync } from 'node:fs'
import { type Document, isMap, isNode, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import { UsageError } from '../usage-error.ts'

/** A configuration file as a document that keeps its comments. */
export interface ConfigDocument {
  readonly doc: Document
  /** `file:line:column` of a key, or of the nearest thing around it that stands somewhere. */
  keyAt(path: readonly PropertyKey[]): string
  /** `file:line:column` of the value at a path; of its key where there is none. */
  valueAt(path: readonly PropertyKey[]): string
  /** `file:line:column` of a character. */
  at(offset: number): string
}

/** @throws {UsageError} naming file, line and column where it cannot be read or is not YAML. */
export function readDocument(file: string): ConfigDocument {
  const lines = new LineCounter()
  const doc = parseDocument(readText(file), { lineCounter: lines, prettyErrors: false })
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  const error = doc.errors[0]
  if (error) {
    throw new UsageError(
      `${at(error.pos[0])}: this is not YAML: ${error.message}`,
      'Correct the line, or see tidemark init for an example.',
    )
  }
  const keyAt = (path: readonly PropertyKey[]) => at(keyOffset(doc, path))
  return {
    doc,
    at,
    keyAt,
    valueAt(path) {
      const node = path.length === 0 ? doc.contents : doc.getIn(path, true)
      return isNode(node) && node.range ? at(node.range[0]) : keyAt(path)
    },
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`, 'Check the file and its rights.')
  }
}

function keyOffset(doc: Document, path: readonly PropertyKey[]): number {
  for (let depth = path.length; depth > 0; depth--) {
    const parent = depth === 1 ? doc.contents : doc.getIn(path.slice(0, depth - 1), true)
    const node = keyNode(parent, path[depth - 1]!)
    if (node?.range) return node.range[0]
  }
  return 0
}

function keyNode(parent: unknown, key: PropertyKey): Node | undefined {
  if (isSeq(parent)) return isNode(parent.items[Number(key)]) ? (parent.items[Number(key)] as Node) : undefined
  const pair = isMap(parent) ? parent.items.find((each) => String(each.key) === String(key)) : undefined
  return isNode(pair?.key) ? pair.key : undefined
}
