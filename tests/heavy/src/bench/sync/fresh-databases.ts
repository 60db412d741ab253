import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import type { Harness } from '../../harness/harness.ts'
import { runMeasurement } from '../../harness/process.ts'

export type Engine = 'postgres' | 'pglite'

/** @returns a function that creates an empty database with each call. */
export async function freshDatabases({ createDatabase, folder, signal }: Harness, engine: Engine, prefix: string) {
  let created = 0
  if (engine === 'postgres') return () => createDatabase(`${prefix}_${++created}`)
  // Initialising an embedded database takes seconds, copying it a tenth.
  const template = join(folder, `${prefix}_template`)
  await runMeasurement(new URL('measure.ts', import.meta.url), ['open', template], signal)
  return async () => {
    const path = join(folder, `${prefix}_${++created}`)
    await cp(template, path, { recursive: true })
    return path
  }
}
