/**
 * What was read, or the given value where the tables, the schema or a function of ours have not been made yet: a look
 * must not make them.
 */
export async function ifMissing<T>(reading: Promise<T>, empty: T): Promise<T> {
  try {
    return await reading
  } catch (error) {
    if (isMissing(error as { code?: string; message: string })) return empty
    throw error
  }
}

/** An undefined function is an undefined operator to Postgres, so ours is told by its name. */
const isMissing = ({ code, message }: { code?: string; message: string }) =>
  code === '42P01' || code === '3F000' || (code === '42883' && message.includes('tidemark.'))
