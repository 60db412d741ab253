import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

/** How a call shows what it has to say. */
export interface Output {
  readonly json: boolean
  readonly quiet: boolean
  readonly verbose: boolean
  /** A result, on standard output. */
  print(text: string): void
  /** One JSON document, on standard output. */
  printJson(value: unknown): void
  /** A message about the work, on standard error; not with `--quiet`. */
  note(text: string): void
  /** Coloured where standard output is a terminal that wants colours. */
  paint(style: Style, text: string): string
}

export function openOutput(options: { json?: boolean; quiet?: boolean; verbose?: boolean; color?: boolean }): Output {
  const { json = false, quiet = false, verbose = false, color = true } = options
  return {
    json,
    quiet,
    verbose,
    print: (text) => process.stdout.write(`${text}\n`),
    printJson: (value) => process.stdout.write(`${JSON.stringify({ version: 1, ...(value as object) }, null, 2)}\n`),
    note: (text) => void (quiet || process.stderr.write(`${text}\n`)),
    // The terminal, NO_COLOR and FORCE_COLOR are looked at by Node itself.
    paint: (style, text) => (color ? styleText(style, text, { stream: process.stdout }) : text),
  }
}
