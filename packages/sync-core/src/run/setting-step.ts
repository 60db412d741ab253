/**
 * Steps that change the configuration of a source are written as commands with `<id>` in the place of its name: what
 * finds them out, such as git, does not know it. Whoever shows a step puts it in.
 */
const SET = 'tidemark sources set <id>'

/** The command that changes a source, from options and their values: `tidemark sources set <id> --ref trunk`. */
export function settingStep(options: Readonly<Record<string, string | readonly string[]>>): string {
  const words = Object.entries(options).flatMap(([option, value]) => [
    `--${option}`,
    ...[value].flat().map((word) => (word === '' ? "''" : shellQuote(word))),
  ])
  return [SET, ...words].join(' ')
}

/** A step for the source of that name. */
export const stepForSource = (step: string, source: string) => step.replaceAll('<id>', source)

/** The same step where the source is only being added, or changed in another way: by what was called, with more options. */
export const stepForCall = (step: string, call: string) => step.replaceAll(SET, call)

/** A word as a shell takes it. */
export const shellQuote = (word: string) =>
  /^[\w./:@%+,=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
