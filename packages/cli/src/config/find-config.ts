import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { UsageError } from '../usage-error.ts'

export const CONFIG_NAME = 'tidemark.yaml'

/**
 * The configuration file: the one that is given, or `tidemark.yaml` in this folder or the nearest above it.
 *
 * @returns its absolute path.
 * @throws {UsageError} where there is none.
 */
export function findConfig(path: string | undefined): string {
  if (path !== undefined) {
    const file = resolve(path)
    if (existsSync(file)) return file
    throw new UsageError(`there is no file ${file}`, 'Check --config.')
  }
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    const file = join(folder, CONFIG_NAME)
    if (existsSync(file)) return file
    if (folder === dirname(folder)) break
  }
  throw new UsageError(`there is no ${CONFIG_NAME} in ${process.cwd()} or above it`, 'Make one with: tidemark init')
}
