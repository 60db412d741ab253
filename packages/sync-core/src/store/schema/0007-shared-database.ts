/**
 * Tables that others look at too: each has a primary key, which a publication of the schema asks for, each table and
 * column says what it holds, and the broken links of a large source are found in one go.
 */
import brokenLinks from './broken-links.ts'
import comments from './comments.ts'

const quote = (text: string) => `'${text.replaceAll("'", "''")}'`

const commentSql = Object.entries(comments).flatMap(([relation, { is, columns = {} }]) => [
  `COMMENT ON ${is.startsWith('View:') ? 'VIEW' : 'TABLE'} tidemark.${relation} IS ${quote(is)};`,
  ...Object.entries(columns).map(([name, text]) => `COMMENT ON COLUMN tidemark.${relation}.${name} IS ${quote(text)};`),
])

export default /* sql */ `
-- Not of the path: one too long for an index is a reason to be here. Nor of its digest: a generated column is not published.
ALTER TABLE tidemark.quarantine ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY, ADD PRIMARY KEY (source_id, id);
${brokenLinks}
${commentSql.join('\n')}
`
