import { readFileSync } from 'node:fs'

/** The folder of this package, wherever in it this code has been put. */
export const packageFolder = new URL('.', import.meta.resolve('tidemark/package.json'))

/** The version of this package. */
export function version(): string {
  return JSON.parse(readFileSync(new URL('package.json', packageFolder), 'utf8')).version
}
