/**
 * Steps that change the configuration of a source are written as commands with `<id>` in the place of its name: what
 * finds them out, such as git, does not know it. Whoever shows a step puts it in.
 */
const SET = 'tidemark sources set <id>'

type Settings = Readonly<Record<string, string | number | readonly string[] | null>>

/** The command that changes a source, from its settings: `tidemark sources set <id> --ref trunk`. */
export const settingStep = (settings: Settings) => [SET, ...settingWords(settings)].join(' ')

/** Settings as options for a shell; an empty value, or null, is the default. */
export function settingWords(settings: Settings): string[] {
  return Object.entries(settings).flatMap(([name, value]) => {
    const option = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    return [`--${option}`, ...[value ?? ''].flat().map((word) => shellQuote(String(word)))]
  })
}

/** A step for the source of that name. */
export const stepForSource = (step: string, source: string) => step.replaceAll('<id>', source)

/**
 * The same step where the source is only being added, or changed in another way: what was called, with more options.
 * To `sources add` the repository is an argument.
 */
export function stepForCall(step: string, call: string): string {
  if (!call.startsWith('tidemark sources add ')) return step.replaceAll(SET, call)
  return step.replaceAll(new RegExp(`${SET}(?: --(?:path|url) ('[^']*'|\\S+))?`, 'g'), (_, repo?: string) =>
    repo === undefined ? call : call.replace(/^(tidemark sources add \S+) (?:'[^']*'|\S+)/, `$1 ${repo}`),
  )
}

/** A word as a shell takes it. */
export const shellQuote = (word: string) =>
  /^[\w./:@%+,=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
