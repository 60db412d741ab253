import type { ReadObject } from '../git/objects.ts'
import type { Parsed, Parser } from '../parse/parser.ts'
import { tooLarge } from '../plan/eligible.ts'
import type { Rename, Write } from '../plan/plan.ts'

/** Enough that a process is started, or has parsed a long text, meanwhile. */
const MAX_FILES = 32
const MAX_BYTES = 1024 * 1024

export interface File {
  readonly item: Rename | Write
  readonly blob: ReadObject
  readonly page: Parsed | Promise<Parsed>
}

/** Files in their order, those that a process of its own parses too: behind them others are read and parsed meanwhile. */
export function createParseQueue(parser: Parser) {
  const files: File[] = []
  let bytes = 0
  return {
    push(item: Rename | Write, blob: ReadObject) {
      const page = blob.content === null ? tooLarge(blob.sizeBytes) : parser.parse(item.path, blob.content)
      // What fails is awaited in its turn; until then it is not unhandled.
      if (page instanceof Promise) page.catch(() => {})
      files.push({ item, blob, page })
      bytes += blob.content?.length ?? 0
    },
    /** The first file, once it is parsed or enough are behind it. */
    shift(): File | undefined {
      const [first] = files
      const mayWait = files.length <= MAX_FILES && bytes <= MAX_BYTES
      if (first === undefined || (mayWait && first.page instanceof Promise)) return undefined
      bytes -= first.blob.content?.length ?? 0
      return files.shift()
    },
    /** Those that are left when no more will come. */
    rest: () => files.splice(0),
  }
}
