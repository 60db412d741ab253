/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escaped).join(' | ')} |`
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n')
}

const escaped = (cell: string) => cell.replace(/[|\\]/g, '\\$&').replace(/\s*\n\s*/g, ' ')

export const percent = (share: number): string => `${Math.round(share * 1_000) / 10} %`

export const hoursText = (hours: number): string => `${hours.toFixed(hours < 10 ? 2 : 1)} h`
