import { type Command, InvalidArgumentError } from 'commander'
import { parseDuration } from './flags.ts'

/** What `sources add` and `sources set` are told of a source; '' and [''] where it is to be the default. */
export interface SettingFlags {
  readonly ref?: string
  readonly subpath?: string
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
  readonly extensions?: readonly string[]
  readonly linkRoot?: string
  readonly maxFiles?: number | ''
  readonly every?: string
  readonly language?: string
}

/** Adds the options for all that the configuration says of a source, but its repository. */
export function addSettingOptions(command: Command): Command {
  return command
    .option('--ref <ref>', 'branch, tag or commit (default: HEAD)')
    .option('--subpath <folder>', 'mirror only this folder of it')
    .option('--include <pattern...>', 'mirror only files that match, as in .gitignore')
    .option('--exclude <pattern...>', 'do not mirror files that match')
    .option('--extensions <ending...>', 'endings of the files that are pages (default: md, markdown and mdx)')
    .option('--link-root <folder>', 'folder that a leading slash of a link means (default: the subpath)')
    .option('--max-files <n>', 'how many files its commit may have (default: 1000000)', parseMaxFiles)
    .option('--every <duration>', 'how often it is due (default: what the configuration says, or 1h)', parseEvery)
    .option('--language <name>', 'dictionary of Postgres that its text is searched by (default: english)')
}

const parseMaxFiles = (text: string) => {
  if (text !== '' && !/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Give a whole number of 1 or more.')
  return text === '' ? '' : Number(text)
}

/** As it was typed: the file is read by people. */
const parseEvery = (text: string) => {
  if (text !== '') parseDuration(text)
  return text
}
