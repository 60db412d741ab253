import type { Database } from '@tidemark/sync-core'
import type { Config } from '../config/load-config.ts'
import { isMissing } from '../database/missing-database.ts'
import { type Finding, well, wrong } from './finding.ts'

/** Whether the database can hold embeddings, where someone is configured to make them. */
export async function checkEmbedding(db: Database, { embedding }: Config): Promise<Finding[]> {
  if (embedding === null) return []
  const present = well('embedding', `${embedding.model}; ${db.name} has pgvector`)
  // An embedded database comes with it.
  if (isMissing(db)) return [present]
  const { rows } = await db.query(vectorSql)
  const { installed, available, major } = rows[0]!
  if (installed || available) return [present]
  return [
    wrong('embedding', {
      message: `${db.name} has no pgvector, which holds embeddings`,
      nextStep: `Install it on the server (Debian and Ubuntu: apt install postgresql-${major}-pgvector).`,
    }),
  ]
}

const vectorSql = /* sql */ `
SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'vector') AS installed,
  EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') AS available,
  current_setting('server_version_num')::integer / 10000 AS major`
