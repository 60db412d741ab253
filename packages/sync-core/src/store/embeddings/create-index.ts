import type { Database } from '../../database/database.ts'

/**
 * Creates an index where there is none of that name. Of two that create it at once, Postgres would let one fail after all
 * its work: it waits here, and finds it there.
 *
 * @param definition what follows the table's name: `USING` and so on.
 */
export async function createIndex(
  db: Database,
  { name, table, definition }: { name: string; table: string; definition: string },
): Promise<void> {
  // The tag is the name, which stands in no definition.
  await db.query(`DO $${name}$ BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('tidemark.${name}', 0));
    CREATE INDEX IF NOT EXISTS ${name} ON ${table} ${definition};
  END $${name}$`)
}
