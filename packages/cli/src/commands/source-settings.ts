import { relative, resolve } from 'node:path'
import { isRemote, type Source, SyncError, settingWords, shellQuote, stepForCall } from '@tidemark/sync-core'
import type { SettingValue } from '../config/edit.ts'
import { expandText } from '../config/expand.ts'
import { BusyError, UsageError } from '../usage-error.ts'

/** Settings as the configuration has them; null where they are left out there. */
export const settingValues = (flags: object): Record<string, SettingValue | null> =>
  Object.fromEntries(Object.entries(flags).map(([key, value]) => [key, String(value) === '' ? null : value]))

/** A source with these settings, as a sync would have it. */
export function withSettings(source: Source, settings: Readonly<Record<string, SettingValue | null>>): Source {
  const { every: _, ...rest } = settings
  const given = Object.entries(rest).map(([key, value]) => [key, value ?? (key === 'ref' ? 'HEAD' : undefined)])
  return { ...source, ...Object.fromEntries(given) }
}

/** A repository as it was typed: as a sync would have it, and as the file is to have it. */
export function readRepository(repo: string, folder: string): { readonly repo: string; readonly written: string } {
  const expanded = expandText(repo, process.env, () => shellQuote(repo))
  if (isRemote(expanded)) return { repo: expanded, written: repo }
  // As the person would write it: relative to the file, unless that leads out of their own tree anyway.
  const written = repo === expanded && !repo.startsWith('/') ? relative(folder, resolve(repo)) || '.' : repo
  return { repo: resolve(expanded), written }
}

/** What a call may not do, as an error that exits by the contract. @param call the command, for the step that it names */
export function refusal(error: unknown, call: string): unknown {
  if (!(error instanceof SyncError)) return error
  const hint = stepForCall(error.hint, call)
  return error.code === 'SOURCE_BUSY'
    ? new BusyError(error.message, hint, error)
    : new UsageError(error.message, hint, error)
}

/** A command with options, as a shell takes it. */
export const callWith = (command: string, flags: object) => [command, ...settingWords(settingValues(flags))].join(' ')
