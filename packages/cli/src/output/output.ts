import { styleText } from 'node:util'
import type { Outputs } from './json-outputs.ts'

type Style = Parameters<typeof styleText>[0]

/** How a call prints. */
export interface Output {
  readonly json: boolean
  readonly quiet: boolean
  readonly verbose: boolean
  /** A result, on standard output. */
  print(text: string): void
  /** What that command prints with `--json`, on standard output. */
  printJson<Command extends keyof Outputs>(command: Command, value: Outputs[Command]): void
  /** A table without lines, on standard output. */
  printTable(head: readonly string[], rows: readonly (readonly string[])[]): Promise<void>
  /** A message about the work, on standard error; not with `--quiet`. */
  notify(text: string): void
  /** Coloured where standard output is a terminal that wants colours. */
  paint(style: Style, text: string): string
}

/** Those of the global flags that say how to print. */
export interface OutputFlags {
  readonly json?: boolean
  readonly quiet?: boolean
  readonly verbose?: boolean
  readonly color?: boolean
}

export function openOutput(flags: OutputFlags): Output {
  const { json = false, quiet = false, verbose = false, color = true } = flags
  const print = (text: string) => void process.stdout.write(`${text}\n`)
  return {
    json,
    quiet,
    verbose,
    print,
    printJson: (_, value) => print(JSON.stringify({ version: 1, ...value }, null, 2)),
    // It takes longer to load than all that is printed takes to print.
    printTable: async (head, rows) => print((await import('./table.ts')).formatTable(head, rows)),
    notify: (text) => void (quiet || process.stderr.write(`${text}\n`)),
    // The terminal, NO_COLOR and FORCE_COLOR are looked at by Node itself.
    paint: (style, text) => (color ? styleText(style, text, { stream: process.stdout }) : text),
  }
}
