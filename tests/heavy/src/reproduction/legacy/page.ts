import { blobId } from '../source-history.ts'

/** What the incumbent makes of a file: a hash of its content, chunks by heading. */
export function parsePage(content: string) {
  return {
    blobOid: blobId(content),
    content,
    chunks: content.split(/\n(?=#{1,4} )/).filter((chunk) => chunk.trim() !== ''),
  }
}
