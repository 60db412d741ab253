import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { renameSource, validateSource } from '@tidemark/sync-core'
import type { Call } from '../call.ts'
import { renameInConfig } from '../config/edit.ts'
import { getSource } from '../config/select-sources.ts'
import { isMissing } from '../missing-database.ts'
import { UsageError } from '../usage-error.ts'
import { refusal } from './source-settings.ts'

/**
 * Renames a source: in the database first, then in the configuration, both while nobody else may have it. A call that was
 * stopped between the two leaves the old name in the configuration, and the next one goes on.
 */
export async function renameConfigured(call: Call, from: string, to: string): Promise<void> {
  const { config, output } = call
  const { file, clones, sources } = config
  const source = getSource(config, from)
  if (sources.some(({ id }) => id === to))
    throw new UsageError(`there is a source "${to}" already in ${file}`, 'Choose another name.')
  const renameFiles = async () => {
    await moveClones(clones, from, to)
    renameInConfig(file, from, to)
  }
  try {
    validateSource({ ...source, id: to })
    const options = { signal: new AbortController().signal, onMoved: renameFiles }
    await call.withDatabase('if_present', (db) => (isMissing(db) ? renameFiles() : renameSource(db, from, to, options)))
  } catch (error) {
    throw refusal(error, '')
  }
  if (output.json) output.printJson('sources rename', { renamed: to, from, file })
  else output.print(`Renamed "${from}" to "${to}" in ${file} and in the database. See: tidemark status`)
}

/** What was fetched for the old name serves the new one; without it all would be fetched again. */
async function moveClones(clones: string, from: string, to: string): Promise<void> {
  for (const folder of [clones, join(clones, 'dry-run')]) {
    const target = join(folder, `${to}.git`)
    await rename(join(folder, `${from}.git`), target).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return
      // Of an earlier source of that name.
      await rm(target, { recursive: true, force: true })
      await rename(join(folder, `${from}.git`), target)
    })
  }
}
