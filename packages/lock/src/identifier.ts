import { createHash } from 'node:crypto'
import { badOption } from './lock-error.ts'

export interface TableName {
  readonly schema: string | null
  readonly name: string
}

type FunctionSuffix = '_acquire' | '_release' | '_trigger'

/** Postgres cuts longer names silently. */
const MAX_NAME_BYTES = 63
const PART = '"(?:[^"\\0]|"")+"|[A-Za-z_][A-Za-z0-9_$]*'
const TABLE = new RegExp(`^(?:(${PART})\\.)?(${PART})$`)

/** `table` or `schema.table`, folded to lower case unless in quotes, as Postgres reads it. @throws `LOCK_BAD_OPTIONS` */
export function parseTableName(text: string): TableName {
  const match = typeof text === 'string' ? TABLE.exec(text) : null
  if (!match) throw badOption(`table must be a name or schema.name, not ${JSON.stringify(text)}`)
  const [schema = null, name] = match.slice(1).map((part) => {
    if (part === undefined) return null
    const unquoted = part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part.toLowerCase()
    return checkName(unquoted, 'table')
  })
  return { schema, name: name! }
}

export function checkName(name: unknown, option: string): string {
  if (typeof name === 'string' && /^[^\0]+$/.test(name) && Buffer.byteLength(name) <= MAX_NAME_BYTES) return name
  throw badOption(`${option} must be a name of 1 to 63 bytes, not ${JSON.stringify(name)}`)
}

/** An identifier in the quotes of SQL. */
export const quote = (name: string) => `"${name.replaceAll('"', '""')}"`

/** A text in the quotes of SQL. */
export const literal = (text: string) => `'${text.replaceAll("'", "''")}'`

export const qualified = ({ schema, name }: TableName) =>
  schema === null ? quote(name) : `${quote(schema)}.${quote(name)}`

export const qualifiedFunction = (table: TableName, suffix: FunctionSuffix) =>
  qualified({ ...table, name: functionName(table.name, suffix) })

/** The name of a function of a table; a long one is cut and gets a hash, so that tables stay apart. */
export function functionName(table: string, suffix: FunctionSuffix): string {
  const bytes = Buffer.from(table)
  if (bytes.length + suffix.length <= MAX_NAME_BYTES) return table + suffix
  const hash = createHash('sha256').update(table).digest('hex').slice(0, 8)
  // A cut through a letter leaves a replacement character.
  const start = bytes.toString('utf8', 0, 40).replace(/\ufffd$/, '')
  return `${start}_${hash}${suffix}`
}
