import { renderMarkdown } from '../harness/tables.ts'

type Flat = Readonly<Record<string, unknown>>

/** Figures of any shape as Markdown: values as one table, then each list of objects as one of its own. */
export function jsonToMarkdown(figures: unknown, level = 3): string {
  if (!isObject(figures)) return formatValue(figures)
  const entries = Object.entries(figures).filter(([, value]) => value !== undefined)
  const values = entries.filter(([, value]) => !isRows(value) && !isObject(value))
  const rows = values.map(([name, value]) => [splitWords(name), formatValue(value)])
  const parts = rows.length === 0 ? [] : [renderMarkdown({ columns: ['figure', 'value'], rows })]
  for (const [name, value] of entries) {
    const heading = `${'#'.repeat(level)} ${splitWords(name)}`
    if (isRows(value)) parts.push(heading, rowsToMarkdown(value))
    else if (isObject(value)) parts.push(heading, jsonToMarkdown(value, level + 1))
  }
  return parts.join('\n\n')
}

/** Columns are the names that any of the rows has. */
function rowsToMarkdown(rows: readonly Flat[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  return renderMarkdown({
    columns: names.map(splitWords),
    rows: rows.map((row) => names.map((name) => formatValue(row[name]))),
  })
}

const isObject = (value: unknown): value is Flat => typeof value === 'object' && value !== null && !Array.isArray(value)

const isRows = (value: unknown): value is readonly Flat[] =>
  Array.isArray(value) && value.length > 0 && value.every(isObject)

/** `pagesPerSecond`: pages per second. */
const splitWords = (name: string) =>
  name
    .replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .replaceAll('_', ' ')
    .toLowerCase()

function formatValue(value: unknown): string {
  if (value === null || value === undefined) return '–'
  if (typeof value === 'number') {
    const small = Math.abs(value) < 1_000
    return value.toLocaleString('en', small ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 0 })
  }
  if (Array.isArray(value)) return value.map(formatValue).join(value.every(isObject) ? '; ' : ', ') || 'none'
  if (!isObject(value)) return String(value)
  return Object.entries(value)
    .map(([name, each]) => `${splitWords(name)} ${formatValue(each)}`)
    .join(', ')
}
