import { createHash } from 'node:crypto'
import type { Database } from '../../database/database.ts'
import { countMissing } from './count-missing.ts'
import { createIndex } from './create-index.ts'
import { readModels } from './read-models.ts'
import { vectorSpace } from './vector-space.ts'

/**
 * Has a set count for search once it has every chunk of every source, and builds its index then: row by row, an index
 * of this kind takes several times as long to fill as it takes to build.
 */
export async function completeModel(db: Database, model: string): Promise<void> {
  const set = (await readModels(db)).find((each) => each.model === model)
  if (set === undefined) return
  if (set.completedAt === null) {
    if ((await countMissing(db, model, null)).chunks > 0) return
    await db.query('UPDATE tidemark.embedding_models SET completed_at = now() WHERE model = $1', [model])
  }
  const { cast, operatorClass } = await vectorSpace(db, set.dimensions)
  if (operatorClass === null) return
  const index = `embeddings_${createHash('sha256').update(model).digest('hex').slice(0, 16)}`
  const { rows } = await db.query(`SELECT to_regclass($1) IS NOT NULL AS made, quote_literal($2) AS model`, [
    `tidemark.${index}`,
    model,
  ])
  if (rows[0]!.made) return
  const definition = `USING hnsw ((${cast('embedding')}) ${operatorClass}) WHERE model = ${rows[0]!.model}`
  await createIndex(db, { name: index, table: 'tidemark.embeddings', definition })
}
