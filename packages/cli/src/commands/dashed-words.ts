/** Options of every command that the next argument belongs to. */
const WITH_VALUE = ['--config', '--database']
const SHORT = ['-h', '-V']

/**
 * Makes a word such as `-webpack` one that commander does not take for an option: with a space before it, which means
 * nothing to a search. What begins with two dashes stays an option, so that a mistyped one is told.
 */
export function withDashedWords(args: readonly string[]): readonly string[] {
  const at = args.findIndex((arg, i) => !arg.startsWith('-') && !WITH_VALUE.includes(args[i - 1] ?? ''))
  if (args[at] !== 'search') return args
  return args.map((arg, i) => (i > at && /^-[^-]/.test(arg) && !SHORT.includes(arg) ? ` ${arg}` : arg))
}
