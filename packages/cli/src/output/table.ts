import Table from 'cli-table3'

// It takes longer to load than all that is printed takes to print, and only a terminal needs it.
const truncate = process.stdout.isTTY ? (await import('cli-truncate')).default : null

const NO_LINES = Object.fromEntries(
  ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right']
    .concat(['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'])
    .map((part) => [part, '']),
)

/** Columns without lines, as wide as they need to be; on a terminal no line is longer than that is wide. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const style = { head: [], border: [], 'padding-left': 0, 'padding-right': 2 }
  const table = new Table({ head: [...head], chars: NO_LINES, style })
  table.push(...rows.map((row) => [...row]))
  // Cut rather than wrapped: a wrapped table cannot be read, and what is cut is there with --json and in a pipe.
  const { columns } = process.stdout
  const lines = table.toString().split('\n')
  return lines.map((line) => (truncate && columns > 0 ? truncate(line.trimEnd(), columns) : line.trimEnd())).join('\n')
}
