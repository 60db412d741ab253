const LINES_PER_PIECE = 64

/** Lines in pieces, for a pipe: one at a time would be one system call a line. */
export async function* inPieces(lines: Iterable<string> | AsyncIterable<string>): AsyncGenerator<Buffer> {
  let piece: string[] = []
  for await (const line of lines) {
    if (piece.push(line) < LINES_PER_PIECE) continue
    yield Buffer.from(piece.join(''))
    piece = []
  }
  if (piece.length > 0) yield Buffer.from(piece.join(''))
}
