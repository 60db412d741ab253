import type { Database } from '../../src/index.ts'

/** A change that someone makes to the tables of pages by hand. */
export interface Tampering {
  /** What it does, for a message. */
  readonly name: string
  readonly statement: string
  /** Whether a page loses its id by it, and so can only come back under another. */
  readonly losesIds: boolean
}

interface Column {
  readonly table: string
  readonly name: string
  readonly type: string
  readonly identity: boolean
}

/**
 * Every column of every table that is derived from files edited in turn; every such table emptied; a row added to it
 * beyond those of its page, before them, and of a page that there is not. The list is read from the database, so a new
 * table or column is on it, and one of an unknown type is an error.
 */
export async function everyTampering(db: Database): Promise<Tampering[]> {
  const { rows } = await db.query(derivedColumnsSql)
  const columns = rows as Column[]
  const tables = Map.groupBy(columns, ({ table }) => table)
  return [
    ...columns.map(edit),
    ...[...tables].flatMap(([table, own]) => [
      { name: `${table} emptied`, statement: `DELETE FROM tidemark.${table}`, losesIds: table === 'pages' },
      ...(table === 'pages' ? [addRow(table, own, 'path')] : [addRow(table, own, 'page_id')]),
      ...(own.some(({ name }) => name === 'ordinal')
        ? [addRow(table, own, 'ordinal'), addRow(table, own, 'ordinal', 'ordinal - 1000')]
        : []),
    ]),
  ]
}

/** All tables that hold something of a page, which their columns tell. */
const derivedColumnsSql = /* sql */ `
SELECT table_name::text AS table, column_name::text AS name, data_type::text AS type, is_identity = 'YES' AS identity
FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema = 'tidemark' AND table_type = 'BASE TABLE' AND (table_name = 'pages' OR table_name IN (
  SELECT table_name FROM information_schema.columns WHERE table_schema = 'tidemark' AND column_name = 'page_id'))
ORDER BY table_name, ordinal_position`

function edit(column: Column): Tampering {
  const { table, name } = column
  return {
    name: `${table}.${name} edited`,
    statement: `UPDATE tidemark.${table} SET ${name} = ${otherValue(column)}`,
    losesIds: table === 'pages' && (name === 'id' || name === 'source_id'),
  }
}

/** Copies each row, with another value in one column of its key. */
function addRow(table: string, columns: readonly Column[], key: string, value?: string): Tampering {
  const own = columns.filter(({ identity }) => !identity)
  const names = own.map(({ name }) => name)
  const values = own.map((column) => (column.name === key ? (value ?? otherValue(column)) : column.name))
  return {
    name: `${table} with rows added at ${value ?? `another ${key}`}`,
    statement: `INSERT INTO tidemark.${table} (${names.join(', ')}) SELECT ${values.join(', ')} FROM tidemark.${table}`,
    losesIds: false,
  }
}

function otherValue({ table, name, type, identity }: Column): string {
  if (identity) return 'DEFAULT'
  const value = OTHER_VALUES[type]
  if (value === undefined) throw new Error(`${table}.${name} has the type ${type}: say here how to edit it`)
  return value.replaceAll('?', name)
}

/** By type; different for each row where the column is part of a key. */
const OTHER_VALUES: Readonly<Record<string, string>> = {
  text: `coalesce(?, '') || 'x'`,
  integer: '? + 1000',
  bigint: '? + 1000000',
  bytea: `? || '\\x00'`,
  jsonb: `? || '{"edited": true}'`,
  ARRAY: `? || ARRAY['x']`,
  uuid: `md5(?::text)::uuid`,
  tsvector: `'edited'::tsvector`,
  boolean: 'NOT ?',
  'timestamp with time zone': `? + interval '1 day'`,
}
