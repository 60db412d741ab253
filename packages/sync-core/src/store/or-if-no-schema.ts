/** What was read, or the given value where the schema, its tables or functions have not been made: a look makes none. */
export async function orIfNoSchema<T>(reading: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await reading
  } catch (error) {
    if (isMissing(error as { code?: string; message: string })) return otherwise
    throw error
  }
}

/** An undefined function is an undefined operator to Postgres, so ours is told by its name. */
const isMissing = ({ code, message }: { code?: string; message: string }) =>
  code === '42P01' || code === '3F000' || (code === '42883' && message.includes('tidemark.'))
