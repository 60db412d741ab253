import { fstatSync } from 'node:fs'
import { printDocument, printDocumentLine } from './json-document.ts'
import type { Outputs } from './json-outputs.ts'
import { logLine } from './log.ts'
import { paintText, type Style, terminalLine, terminalText } from './terminal-text.ts'

/** How a call prints. */
export interface Output {
  readonly json: boolean
  readonly quiet: boolean
  readonly verbose: boolean
  /** A result, on standard output; each argument is one line. */
  print(...lines: readonly string[]): void
  /** Text of a page with its own lines, on standard output: byte for byte, unless that is a terminal or the log of a workflow. */
  printText(text: string): void
  /** What that command prints with `--json`, on standard output. */
  printJson<Command extends keyof Outputs>(command: Command, value: Outputs[Command]): void
  /** The same on one line, for commands that print many. */
  printJsonLine<Command extends keyof Outputs>(command: Command, value: Outputs[Command]): void
  /** A table without lines, on standard output. */
  printTable(head: readonly string[], rows: readonly (readonly string[])[]): Promise<void>
  /** A message about the work, on standard error; not with `--quiet`. */
  notify(line: string): void
  /** What someone should know also with `--quiet`, on standard error. */
  warn(line: string): void
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
  return {
    json,
    quiet,
    verbose,
    print: (...lines) => void process.stdout.write(lines.map((line) => `${terminalLine(line)}\n`).join('')),
    printText: (text) => void process.stdout.write(isRead() ? terminalText(text) : text),
    printJson: (_, value) => printDocument(value),
    printJsonLine: (_, value) => printDocumentLine(value),
    // It takes longer to load than all that is printed takes to print.
    async printTable(head, rows) {
      const { formatTable } = await import('./table.ts')
      process.stdout.write(
        `${formatTable(
          head,
          rows.map((row) => row.map(terminalLine)),
        )}\n`,
      )
    },
    notify: (line) => void (quiet || logLine('info', line)),
    warn: (line) => logLine('warning', line),
    paint: (style, text) => (color ? paintText(style, text) : text),
  }
}

/** Whether someone reads standard output as it is: on a terminal, or in the log of a workflow, whose runner looks for commands. */
const isRead = () => process.stdout.isTTY || (process.env.GITHUB_ACTIONS === 'true' && !fstatSync(1).isFile())
