import { dirname } from 'node:path'
import { currentCommit, isRemote, redact, validateSource } from '@tidemark/sync-core'
import type { Call } from '../call.ts'
import { changeInConfig, type SettingChange, type SettingValue, settingChanges } from '../config/edit.ts'
import { getSource } from '../config/select-sources.ts'
import { formatCommit } from '../output/format.ts'
import { refuseFlags } from './flags.ts'
import type { SettingFlags } from './setting-options.ts'
import { callWith, readRepository, refusal, settingValues, withSettings } from './source-settings.ts'

interface SetFlags extends SettingFlags {
  readonly path?: string
  readonly url?: string
}

/** Settings that decide which files of which commit are pages. */
const SELECTING = new Set(['repo', 'ref', 'subpath', 'include', 'exclude', 'extensions'])

/** Changes what the configuration says of a source, where a sync could follow that. */
export async function setSource({ config, output }: Call, id: string, flags: SetFlags): Promise<void> {
  const { everyMs: _, ...source } = getSource(config, id)
  const { path, url, ...others } = flags
  refuseFlags([
    [Object.keys(flags).length === 0, 'sources set needs to know what to change', 'See: tidemark sources set --help'],
    [path !== undefined && url !== undefined, '--path and --url exclude each other', 'Give one of them.'],
    [path === '' || url === '', 'a source cannot do without a repository', 'Give --path or --url with one.'],
    [
      url && !isRemote(url),
      `"${redact(url ?? '')}" is not an address`,
      'Give it as https, ssh or file; a path as --path.',
    ],
    [path && isRemote(path), `"${redact(path ?? '')}" is an address`, 'Give it as --url; or write ./ before a path.'],
  ])
  const { file } = config
  const settings = settingValues(others)
  const repository = readRepository(path ?? url ?? source.repo, dirname(file))
  const moved = path ?? url
  const changes = settingChanges(file, id, { ...(moved && { repo: repository.written }), ...settings })
  const changed = (key: string) => changes.some((change) => change.key === key)
  const next = withSettings({ ...source, ...(moved && { repo: repository.repo }) }, settings)
  const check = async () => {
    // Whether it is there says nothing of the rest, which can be changed meanwhile.
    if (changed('repo') || changed('ref')) return currentCommit(next, new AbortController().signal)
    validateSource(next)
    return null
  }
  const commit = await check().catch((error: unknown) => {
    throw refusal(error, callWith(`tidemark sources set ${id}`, flags))
  })
  if (changes.length > 0) changeInConfig(file, id, changes)
  const shown = changes.map(({ key, was, is }) => ({ key, was: shownValue(was), is: shownValue(is) }))
  if (output.json) return output.printJson('sources set', { changed: id, file, commit, changes: shown })
  if (changes.length === 0) return output.print(`"${id}" has that already in ${file}.`)
  const at = commit === null ? '' : `, now at ${formatCommit(commit)}`
  output.print(`Changed "${id}" in ${file}${at}:`, ...shown.map(changeLine))
  if (!changes.some(({ key }) => SELECTING.has(key))) return output.print(`Next: tidemark sync --source ${id}`)
  output.print(
    'The next sync deletes the pages that it no longer has.',
    `What it will do: tidemark sync --source ${id} --dry-run`,
    `Next: tidemark sync --source ${id}`,
  )
}

const shownValue = (value: SettingValue | null) => (typeof value === 'string' ? redact(value) : value)

function changeLine({ key, was, is }: SettingChange): string {
  const text = (value: SettingValue | null) => (value === null ? 'not set' : [value].flat().join(', '))
  return `  ${key}: ${text(was)} → ${text(is)}`
}
