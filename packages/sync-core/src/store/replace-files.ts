import { linkKey } from '../parse/link-key.ts'
import { type Fenced, fencedQuery } from './fenced-query.ts'

/** Some hundredths of a second for each statement. */
const FILES_PER_STATEMENT = 5_000

/**
 * Makes the files that links may name beside pages equal to those of a commit.
 *
 * @param files their paths in byte order.
 * @param changed the paths that may have changed; null where all are compared.
 * @throws {LeaseLostError}
 */
export async function replaceFiles(
  fenced: Fenced,
  sourceId: string,
  { files, changed }: { readonly files: Iterable<string>; readonly changed: readonly string[] | null },
  onStep: () => void,
): Promise<void> {
  const replace = async (part: readonly string[], range: { after: string | null; to: string | null }) => {
    const rows = part.map((path) => ({ path, key: linkKey(path) }))
    const covered = changed === null ? null : JSON.stringify(changed)
    await fencedQuery(fenced, REPLACE_FILES, [sourceId, JSON.stringify(rows), covered, range.after, range.to])
    onStep()
  }
  if (changed !== null) return replace([...files], { after: null, to: null })
  let part: string[] = []
  let after: string | null = null
  for (const path of files) {
    if (part.push(path) < FILES_PER_STATEMENT) continue
    await replace(part, { after, to: path })
    after = path
    part = []
  }
  await replace(part, { after, to: null })
}

// Of what it covers, a list of paths or a range of them, the files that are not there any more go.
const REPLACE_FILES = /* sql */ `
file AS MATERIALIZED (SELECT path, key FROM fence, json_to_recordset($4::json) AS f (path text, key text)),
gone AS (
  DELETE FROM tidemark.files AS old USING fence
  WHERE old.source_id = $3 AND old.path NOT IN (SELECT path FROM file) AND CASE WHEN $5::json IS NULL
    THEN ($6::text IS NULL OR old.path > $6) AND ($7::text IS NULL OR old.path <= $7)
    ELSE old.path IN (SELECT json_array_elements_text($5::json)) END
),
stored AS (
  INSERT INTO tidemark.files AS old (source_id, path, link_key)
  SELECT $3, path, key FROM file
  ON CONFLICT (source_id, path) DO UPDATE SET link_key = excluded.link_key WHERE old.link_key IS DISTINCT FROM excluded.link_key
)
SELECT FROM fence`
