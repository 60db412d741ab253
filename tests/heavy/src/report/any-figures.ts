import { table } from './table.ts'

type Flat = Readonly<Record<string, unknown>>

/** Figures of any shape as Markdown: values as one table, then each list of objects as one of its own. */
export function anyFigures(figures: unknown, level = 3): string {
  if (!isObject(figures)) return told(figures)
  const entries = Object.entries(figures).filter(([, value]) => value !== undefined)
  const values = entries.filter(([, value]) => !isTableLike(value) && !isNested(value))
  const parts =
    values.length === 0
      ? []
      : [
          table(
            ['figure', 'value'],
            values.map(([name, value]) => [words(name), told(value)]),
          ),
        ]
  for (const [name, value] of entries) {
    const heading = `${'#'.repeat(level)} ${words(name)}`
    if (isTableLike(value)) parts.push(heading, tableOf(value))
    else if (isNested(value)) parts.push(heading, anyFigures(value, level + 1))
  }
  return parts.join('\n\n')
}

/** Columns are the names that any of the rows has. */
function tableOf(rows: readonly Flat[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  return table(
    names.map(words),
    rows.map((row) => names.map((name) => told(row[name]))),
  )
}

const isObject = (value: unknown): value is Flat => typeof value === 'object' && value !== null && !Array.isArray(value)

const isTableLike = (value: unknown): value is readonly Flat[] =>
  Array.isArray(value) && value.length > 0 && value.every(isObject)

const isNested = (value: unknown): boolean => isObject(value)

/** `pagesPerSecond`: pages per second. */
const words = (name: string) =>
  name
    .replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .replaceAll('_', ' ')
    .toLowerCase()

function told(value: unknown): string {
  if (value === null || value === undefined) return '–'
  if (typeof value === 'number') return number(value)
  if (Array.isArray(value)) return value.map(told).join(value.every(isObject) ? '; ' : ', ') || 'none'
  if (isObject(value))
    return Object.entries(value)
      .map(([name, each]) => `${words(name)} ${told(each)}`)
      .join(', ')
  return String(value)
}

const number = (value: number) =>
  value.toLocaleString('en', Math.abs(value) < 1_000 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 0 })
