import { createHash } from 'node:crypto'
import { LockError } from './lock-error.ts'

/** A table's name, ready to stand in a statement. */
export interface Identifier {
  readonly schema: string | null
  readonly name: string
  readonly quoted: string
}

/** The longest name that Postgres keeps; a longer one is cut short, without a word. */
const MAX_NAME_BYTES = 63

const PART = '"(?:[^"\\0]|"")+"|[A-Za-z_][A-Za-z0-9_$]*'
const TABLE = new RegExp(`^(?:(${PART})\\.)?(${PART})$`)

/** @throws {LockError} `LOCK_BAD_OPTIONS` */
export function parseTableName(text: string): Identifier {
  const match = typeof text === 'string' ? TABLE.exec(text) : null
  if (!match) {
    throw new LockError(
      'LOCK_BAD_OPTIONS',
      `table must be a name or schema.name, not ${JSON.stringify(text)}`,
    )
  }
  const schema = match[1] === undefined ? null : unquoted(match[1])
  const name = unquoted(match[2]!)
  for (const part of [schema, name]) if (part !== null) checkName(part, 'table')
  return { schema, name, quoted: inSchema(schema, name) }
}

/** As Postgres reads it: folded to lower case unless it is in quotes. */
function unquoted(part: string): string {
  return part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part.toLowerCase()
}

/** @throws {LockError} `LOCK_BAD_OPTIONS` */
export function checkName(name: unknown, option: string): void {
  if (
    typeof name !== 'string' ||
    name === '' ||
    name.includes('\0') ||
    Buffer.byteLength(name) > MAX_NAME_BYTES
  ) {
    throw new LockError(
      'LOCK_BAD_OPTIONS',
      `${option} must be a name of 1 to 63 bytes, not ${JSON.stringify(name)}`,
    )
  }
}

/** An identifier in the quotes of SQL. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A text in the quotes of SQL, whatever `standard_conforming_strings` says. */
export function literal(text: string): string {
  return `${text.includes('\\') ? ' E' : ''}'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}

export function inSchema(schema: string | null, name: string): string {
  return schema === null ? quote(name) : `${quote(schema)}.${quote(name)}`
}

/** A function that belongs to a table; its name is cut where it must be, and then still tells tables apart. */
export function functionName(
  { schema, name }: Pick<Identifier, 'schema' | 'name'>,
  suffix: '_acquire' | '_trigger',
): string {
  const whole = Buffer.from(name)
  if (whole.length + suffix.length <= MAX_NAME_BYTES) return inSchema(schema, name + suffix)
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8)
  // A cut through a letter leaves a replacement character.
  return inSchema(
    schema,
    `${whole
      .subarray(0, 40)
      .toString()
      .replace(/\ufffd$/, '')}_${hash}${suffix}`,
  )
}
