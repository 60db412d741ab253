import Table from 'cli-table3'

// It takes longer to load than all that is shown takes to show, and only a terminal needs it.
const truncate = process.stdout.isTTY ? (await import('cli-truncate')).default : null

const BARE = Object.fromEntries(
  ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right']
    .concat(['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'])
    .map((part) => [part, '']),
)

/** Columns without lines, as wide as they need to be; on a terminal no line is longer than that is wide. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const drawn = new Table({
    head: [...head],
    chars: BARE,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  })
  for (const row of rows) drawn.push([...row])
  const lines = drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
  // Cut rather than wrapped: a wrapped table cannot be read, and what is cut is there with --json and in a pipe.
  const { columns } = process.stdout
  return lines.map((line) => (truncate && columns > 0 ? truncate(line, columns) : line)).join('\n')
}
