import type { Database } from '../../database/database.ts'
import { vectorMissingError } from './vector-space.ts'

/**
 * Makes the table of embeddings where there is none, and installs pgvector for it where the server has it.
 *
 * @throws {SyncError} `VECTOR_MISSING` saying what to install, or what to have run by whom.
 */
export async function prepareVectors(db: Database): Promise<void> {
  const { rows } = await db.query(INSPECT)
  const { made, installed, available, major } = rows[0]!
  if (made) return
  if (!installed && !available) {
    throw vectorMissingError(
      db,
      `Install it on the server (Debian and Ubuntu: apt install postgresql-${major}-pgvector) and run this again. All but embeddings works without.`,
    )
  }
  try {
    await db.query(CREATE_TABLE)
  } catch (error) {
    if ((error as { code?: string }).code !== '42501') throw error
    throw vectorMissingError(db, 'Have its owner run: CREATE EXTENSION vector', error)
  }
}

const INSPECT = /* sql */ `
SELECT to_regclass('tidemark.embeddings') IS NOT NULL AS made,
  EXISTS (SELECT FROM pg_extension WHERE extname = 'vector') AS installed,
  EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') AS available,
  current_setting('server_version_num')::integer / 10000 AS major`

// One at a time: of two that make an extension at once, one fails. The type is found wherever it was installed.
const CREATE_TABLE = /* sql */ `
DO $make$ BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('tidemark.embeddings', 0));
  CREATE EXTENSION IF NOT EXISTS vector;
  EXECUTE format(
    'CREATE TABLE IF NOT EXISTS tidemark.embeddings (
      model        text NOT NULL,
      content_hash bytea NOT NULL,
      embedding    %s.vector NOT NULL,
      PRIMARY KEY (model, content_hash)
    )',
    (SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace AS n ON n.oid = extnamespace WHERE extname = 'vector')
  );
END $make$`
