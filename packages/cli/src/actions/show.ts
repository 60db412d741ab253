import { readPage } from '@tidemark/sync-core'
import type { Command } from 'commander'
import { showPage } from '../show/page.ts'
import { UsageError } from '../usage-error.ts'
import { configOf, sourceNamed, withDatabaseReadOnly } from './context.ts'
import { outputOf } from './globals.ts'

/** Prints a page of the database as it is. */
export default async function show(name: string, _: object, command: Command): Promise<void> {
  const [, source, path] = /^([^:]+):(.+)$/s.exec(name) ?? []
  if (source === undefined || path === undefined) {
    throw new UsageError(
      `"${name}" does not name a page`,
      'Give a source and a path in it, as search prints them: docs:guide/start.md',
    )
  }
  const config = configOf(command)
  const { id } = sourceNamed(config, source)
  const page = await withDatabaseReadOnly(command, config, (db) => readPage(db, id, path))
  const output = outputOf(command)
  if (output.json) output.printJson(page)
  else showPage(page, output)
}
