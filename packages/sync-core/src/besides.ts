import { fileURLToPath } from 'node:url'

/**
 * The file of another module in the same folder, to be run as a thread or process: built code and, under a runtime
 * that strips types, source.
 */
export function besides(url: string, name: string): string {
  return fileURLToPath(new URL(`./${name}${url.endsWith('.ts') ? '.ts' : '.js'}`, url))
}
