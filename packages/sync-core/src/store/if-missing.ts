/** What was read, or the given value where the tables have not been made yet: a look must not make them. */
export async function ifMissing<T>(reading: Promise<T>, empty: T): Promise<T> {
  try {
    return await reading
  } catch (error) {
    if ((error as { code?: string }).code === '42P01') return empty
    throw error
  }
}
