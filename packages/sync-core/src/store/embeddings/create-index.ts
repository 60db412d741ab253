import type { Database } from '../../database/database.ts'

/** Creates an index once: of two at it, Postgres would let one fail after all its work; it waits here instead. */
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
