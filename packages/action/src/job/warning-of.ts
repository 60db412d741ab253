/** The warnings of a result that have that code, as sentences. */
export function warningOf(
  { warnings }: { warnings: readonly { code: string; message: string }[] },
  code: string,
): string {
  return warnings
    .filter((warning) => warning.code === code)
    .map(({ message }) => `${message}.`)
    .join(' ')
}
