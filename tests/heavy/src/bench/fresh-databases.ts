import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import type { Ground } from '../ground/ground.ts'
import { measured } from './measured.ts'

export type Engine = 'postgres' | 'pglite'

const MEASURE = new URL('sync/measure.ts', import.meta.url)

/** Names empty databases, one for each call. */
export function freshDatabases({ createDatabase, folder, signal }: Ground, prefix: string) {
  let made = 0
  let template: Promise<string> | undefined
  // Initialising an embedded database takes seconds, copying it a tenth.
  const initialised = async (): Promise<string> => {
    const first = join(folder, `${prefix}_template`)
    await measured(MEASURE, ['open', first, ''], signal)
    return first
  }
  return async (engine: Engine): Promise<string> => {
    const name = `${prefix}_${++made}`
    if (engine === 'postgres') return createDatabase(name)
    template ??= initialised()
    await cp(await template, join(folder, name), { recursive: true })
    return join(folder, name)
  }
}
