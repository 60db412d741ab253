import { type SearchMode, search } from '@tidemark/sync-core'
import type { Command } from 'commander'
import { showHits } from '../show/hits.ts'
import { UsageError } from '../usage-error.ts'
import { configOf, sourceNamed, withDatabaseReadOnly } from './context.ts'
import { outputOf } from './globals.ts'

interface SearchFlags {
  readonly source?: readonly string[]
  readonly limit: number
  readonly mode?: SearchMode
}

/** Finds pages in the database as it is. */
export default async function find(
  words: readonly string[],
  { source, limit, mode }: SearchFlags,
  command: Command,
): Promise<void> {
  const asked = words.join(' ').replace(/\s+/g, ' ').trim()
  if (asked === '') throw new UsageError('search needs words', 'Give some, for example: tidemark search proxy')
  const config = configOf(command)
  const sources = source && [...new Set(source)].map((id) => sourceNamed(config, id).id)
  const options = { sources, limit, mode, embedding: config.embedding ?? undefined }
  const result = await withDatabaseReadOnly(command, config, (db) => search(db, asked, options))
  const output = outputOf(command)
  if (output.json) output.printJson(result)
  else showHits(result, asked, output)
}
