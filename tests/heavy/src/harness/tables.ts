import CliTable from 'cli-table3'
import type { Check } from './harness.ts'

/** A table for people, which the terminal and the report show alike. */
export interface Table {
  readonly title?: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** What a reader has to know to read it right. */
  readonly notes?: readonly string[]
  /** Widths of the columns, in which text wraps; by default each is as wide as its text. */
  readonly widths?: readonly number[]
}

/** A table with a row for each figure and a column for each of the things that were measured. */
export function figureTable<T>(
  { title, notes }: Pick<Table, 'title' | 'notes'>,
  items: readonly T[],
  formatColumn: (item: T) => string,
  rows: Readonly<Record<string, (item: T) => string>>,
): Table {
  return {
    ...(title && { title }),
    ...(notes && { notes }),
    columns: ['', ...items.map(formatColumn)],
    rows: Object.entries(rows).map(([name, format]) => [name, ...items.map(format)]),
  }
}

export function renderTerminal({ title, columns, rows, notes = [], widths }: Table): string {
  const table = new CliTable({
    head: [...columns],
    style: { head: [], border: [], compact: widths === undefined },
    ...(widths
      ? { colWidths: [...widths], wordWrap: true }
      : { colAligns: columns.map((_, i) => (i === 0 ? 'left' : 'right')) }),
  })
  table.push(...rows.map((row) => [...row]))
  return [...(title ? [title] : []), table.toString(), ...notes.map((note) => `  ${note}`)].join('\n')
}

export function renderMarkdown({ columns, rows }: Pick<Table, 'columns' | 'rows'>): string {
  const escapeCell = (cell: string) => cell.replace(/[|\\]/g, '\\$&').replace(/\s*\n\s*/g, ' ')
  const line = (cells: readonly string[]) => `| ${cells.map(escapeCell).join(' | ')} |`
  return [line(columns), `|${columns.map(() => '---|').join('')}`, ...rows.map(line)].join('\n')
}

/** The checks as a table, and the totals as the last line, alone. */
export function renderChecks(checks: readonly Check[]): string {
  const rows = checks.map(({ check, observed, passed }) => [check, observed, passed ? 'passed' : 'FAILED'])
  const table = renderTerminal({ columns: ['check', 'observed', ''], rows, widths: [64, 40, 10] })
  const failed = checks.filter(({ passed }) => !passed).length
  return `${table}\n${checks.length - failed} passed, ${failed} failed`
}

/** A whole number with its thousands apart. */
export const formatCount = (value: number) => Math.round(value).toLocaleString('en')

export const formatPercent = (share: number) => `${Math.round(share * 1_000) / 10} %`

export const formatHours = (hours: number) => `${hours.toFixed(hours < 10 ? 2 : 1)} h`

export function formatMs(ms: number): string {
  if (ms >= 10_000) return `${(ms / 1_000).toFixed(1)} s`
  return ms < 10 ? `${ms.toFixed(2)} ms` : `${formatCount(ms)} ms`
}
