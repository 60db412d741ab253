import Table from 'cli-table3'

/** Figures for people to read, as the terminal and the report show them. */
export interface FigureTable {
  readonly title: string
  readonly columns: readonly string[]
  /** What is measured, then a cell for each column. */
  readonly rows: readonly (readonly string[])[]
  /** What has to be known to read it right. */
  readonly notes: readonly string[]
}

/** A table for a terminal, with its title above and its notes below. */
export function printed({ title, columns, rows, notes }: FigureTable): string {
  const table = new Table({
    head: ['', ...columns],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', ...columns.map(() => 'right' as const)],
  })
  table.push(...rows.map((row) => [...row]))
  return [title, table.toString(), ...notes.map((note) => `  ${note}`), ''].join('\n')
}

export const milliseconds = (ms: number | null) =>
  ms === null ? '–' : ms < 10 ? `${ms.toFixed(2)} ms` : ms < 10_000 ? `${grouped(ms)} ms` : seconds(ms)

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`

/** A whole number with its thousands apart. */
export const grouped = (value: number) => Math.round(value).toLocaleString('en-GB')
