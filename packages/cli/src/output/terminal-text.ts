import { styleText } from 'node:util'

export type Style = Exclude<Parameters<typeof styleText>[0], readonly unknown[]>

// A repository may name a file or a page so that a terminal is repainted, a line forged, text shown backwards, or the
// runner of a workflow given a command. So all text passes here on its way out, that of the Action too: what a terminal
// would act on is shown as a symbol, and what a runner would take for a command has a blank in it. Our own colours are put in after
// that. Until then they stand as halves of surrogate pairs, which no text from a file, a database or a shell has.
const [STYLE, TEXT, END] = ['\uDC01', '\uDC02', '\uDC03']
const PAINTED = new RegExp(`${STYLE}(\\w+)${TEXT}([^${END}]*)${END}`, 'g')

/** Control characters, separators of lines, and what changes the direction of all that follows. */
const UNSAFE = /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu
/** The same without what a text has for its lines and columns. */
const UNSAFE_IN_TEXT = /(?!\r?\n|\t)[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu

/** As the runner reads its log: `::name::` at the start of a line, `##[name]` anywhere. A fence such as `:::tip` is neither. */
const withoutCommands = (text: string) => text.replace(/^(\s*):(?=:(?!:).*::)/gm, '$1: ').replaceAll('##[', '## [')

/** Marks text as coloured, for {@link terminalLine} to colour. */
export const paintText = (style: Style, text: string) => `${STYLE}${style}${TEXT}${text}${END}`

/** Text as one line of a terminal or a log, whatever is in it; coloured where standard output is a terminal that wants colours. */
export const terminalLine = (text: string): string =>
  // The terminal, NO_COLOR and FORCE_COLOR are looked at by Node itself.
  withoutCommands(
    text.replace(UNSAFE, symbolFor).replace(PAINTED, (_, style: Style, painted: string) => {
      return styleText(style, painted, { stream: process.stdout })
    }),
  )

/** Text with its own lines and tabs. */
export const terminalText = (text: string): string => withoutCommands(text.replace(UNSAFE_IN_TEXT, symbolFor))

/** `␛` for an escape, `<U+202E>` for what has no symbol. */
function symbolFor(character: string): string {
  const code = character.charCodeAt(0)
  if (code < 0x20) return String.fromCharCode(0x2400 + code)
  return code === 0x7f ? '␡' : `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`
}
