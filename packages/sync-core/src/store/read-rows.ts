import type { Database } from '../database/database.ts'

/** The rows of a statement that only looks; none where the schema, its tables or functions have not been made. */
export async function readRows<Row = any>(
  db: Database,
  sql: string,
  params: unknown[] = [],
  signal?: AbortSignal,
): Promise<Row[]> {
  try {
    return (await db.query<Row>(sql, params, signal)).rows
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    // An undefined function is an undefined operator to Postgres, so ours is recognised by its name.
    if (code === '42P01' || code === '3F000' || (code === '42883' && message.includes('tidemark.'))) return []
    throw error
  }
}
