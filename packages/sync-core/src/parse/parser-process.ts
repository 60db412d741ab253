/** The process that {@link openParser} starts: parses what it is sent, one file after another. */
import { parsePage } from './parse-page.ts'
import { Unstorable } from './unstorable.ts'

export interface ParseRequest {
  readonly path: string
  readonly bytes: Uint8Array
}

export type ParseReply =
  | { readonly page: ReturnType<typeof parsePage> }
  | { readonly refused: Unstorable['code']; readonly message: string }
  | { readonly fault: string }

process.on('message', ({ path, bytes }: ParseRequest) => {
  // Who has asked may have been killed meanwhile; then this process ends by itself, and quietly.
  process.send!(parsed(path, Buffer.from(bytes)), () => {})
})

function parsed(path: string, bytes: Buffer): ParseReply {
  try {
    return { page: parsePage(path, bytes) }
  } catch (error) {
    if (error instanceof Unstorable) return { refused: error.code, message: error.message }
    return { fault: String((error as Error).stack) }
  }
}
