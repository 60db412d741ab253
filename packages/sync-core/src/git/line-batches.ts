const LINES_PER_BATCH = 64

/** Lines joined into batches, for a pipe: one at a time would be one system call a line. */
export async function* lineBatches(lines: Iterable<string> | AsyncIterable<string>): AsyncGenerator<Buffer> {
  let batch: string[] = []
  for await (const line of lines) {
    if (batch.push(`${line}\n`) < LINES_PER_BATCH) continue
    yield Buffer.from(batch.join(''))
    batch = []
  }
  if (batch.length > 0) yield Buffer.from(batch.join(''))
}
