import { redact } from '@tidemark/sync-core'
import type { Command } from 'commander'
import { table } from '../show/table.ts'
import { duration } from '../show/words.ts'
import { configOf } from './context.ts'
import { outputOf } from './globals.ts'

/** Lists the sources of the configuration. */
export default function list(_: object, command: Command): void {
  const output = outputOf(command)
  const { sources, file } = configOf(command)
  const shown = sources.map(({ id, repo, ref, subpath, include, exclude, everyMs }) => ({
    id,
    repo: redact(repo),
    ref,
    subpath: subpath ?? null,
    include: include ?? [],
    exclude: exclude ?? [],
    everyMs,
  }))
  if (output.json) {
    output.printJson({ sources: shown })
    return
  }
  if (shown.length === 0) {
    output.note(`${file} has no sources yet. Add one with: tidemark sources add <id> <repo>`)
    return
  }
  const rows = shown.map(({ id, repo, ref, everyMs }) => [id, repo, ref, duration(everyMs)])
  output.print(table(['source', 'repository', 'ref', 'due every'], rows))
}
