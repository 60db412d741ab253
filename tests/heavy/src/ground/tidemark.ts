import { fileURLToPath } from 'node:url'

/** The built command, as `npx tidemark` runs it. */
export const TIDEMARK = fileURLToPath(new URL('bin/tidemark.js', import.meta.resolve('tidemark/package.json')))
