import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import type { Harness } from '../harness/harness.ts'
import { runMeasurement } from '../harness/process.ts'

export type Engine = 'postgres' | 'pglite'

const MEASURE = new URL('sync/measure.ts', import.meta.url)

/** @returns a function that creates an empty database with each call. */
export function freshDatabases({ createDatabase, folder, signal }: Harness, prefix: string) {
  let created = 0
  let template: Promise<string> | undefined
  // Initialising an embedded database takes seconds, copying it a tenth.
  const createTemplate = async (): Promise<string> => {
    const path = join(folder, `${prefix}_template`)
    await runMeasurement(MEASURE, ['open', path, ''], signal)
    return path
  }
  return async (engine: Engine): Promise<string> => {
    const name = `${prefix}_${++created}`
    if (engine === 'postgres') return createDatabase(name)
    template ??= createTemplate()
    await cp(await template, join(folder, name), { recursive: true })
    return join(folder, name)
  }
}
