import CliTable from 'cli-table3'
import type { Check } from './harness.ts'

const PLAIN = { head: [], border: [] }

interface Table {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** A row for each figure and a column for each of the things that were measured. */
export const figureTable = <T>(
  items: readonly T[],
  formatColumn: (item: T) => string,
  rows: Readonly<Record<string, (item: T) => string>>,
): Table => ({
  columns: ['', ...items.map(formatColumn)],
  rows: Object.entries(rows).map(([name, format]) => [name, ...items.map(format)]),
})

/** A table of figures for a terminal, with what it is of and what a reader has to know. */
export function renderFigures<T>(
  { title, notes }: { readonly title: string; readonly notes: readonly string[] },
  ...[items, ...figures]: Parameters<typeof figureTable<T>>
): string {
  const { columns, rows } = figureTable(items, ...figures)
  const colAligns = ['left' as const, ...items.map(() => 'right' as const)]
  const table = new CliTable({ head: [...columns], style: { ...PLAIN, compact: true }, colAligns })
  table.push(...rows.map((row) => [...row]))
  return [title, table.toString(), ...notes.map((note) => `  ${note}`)].join('\n')
}

export function renderMarkdown({ columns, rows }: Table): string {
  const escapeCell = (cell: string) => cell.replace(/[|\\]/g, '\\$&').replace(/\s*\n\s*/g, ' ')
  const line = (cells: readonly string[]) => `| ${cells.map(escapeCell).join(' | ')} |`
  return [line(columns), `|${columns.map(() => '---|').join('')}`, ...rows.map(line)].join('\n')
}

/** The checks as a table, and the totals as the last line, alone. */
export function renderChecks(checks: readonly Check[]): string {
  const table = new CliTable({ head: ['check', 'observed', ''], style: PLAIN, colWidths: [64, 40, 10], wordWrap: true })
  table.push(...checks.map(({ check, observed, passed }) => [check, observed, passed ? 'passed' : 'FAILED']))
  const failed = checks.filter(({ passed }) => !passed).length
  return `${table}\n${checks.length - failed} passed, ${failed} failed`
}

/** A whole number with its thousands apart. */
export const formatCount = (value: number) => Math.round(value).toLocaleString('en')

export const formatPercent = (share: number) => `${Math.round(share * 1_000) / 10} %`

export const formatHours = (hours: number) => `${hours.toFixed(hours < 10 ? 2 : 1)} h`

export const formatMb = (megabytes: number) => `${formatCount(megabytes)} MB`

export function formatMs(ms: number): string {
  if (ms >= 10_000) return `${(ms / 1_000).toFixed(1)} s`
  return ms < 10 ? `${ms.toFixed(2)} ms` : `${formatCount(ms)} ms`
}
