let printed = false

/** Prints the one document of a call with `--json` on standard output. */
export function printDocument(value: object): void {
  printed = true
  process.stdout.write(`${escapeJson(JSON.stringify({ version: 1, ...value }, null, 2))}\n`)
}

/** Prints one of many documents on a line of its own. */
export function printDocumentLine(value: object): void {
  printed = true
  process.stdout.write(`${escapeJson(JSON.stringify({ version: 1, ...value }))}\n`)
}

/** Whether there is a document already: what fails after it must not add another. */
export const isDocumentPrinted = (): boolean => printed

/** JSON has escapes of its own, and leaves as they are some characters that a terminal or the runner of a workflow acts on. */
export const escapeJson = (json: string): string =>
  json.replace(/[\x7F-\x9F\u202A-\u202E\u2066-\u2069]|#(?=#\[)/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
