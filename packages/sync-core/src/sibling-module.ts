import { fileURLToPath } from 'node:url'

/** Path of another module in the same folder, to be run as a process: built code, or source where types are stripped. */
export function siblingModulePath(url: string, name: string): string {
  return fileURLToPath(new URL(`./${name}${url.endsWith('.ts') ? '.ts' : '.js'}`, url))
}
