import { UsageError } from 'tidemark/config'
import { flagInput, namesInput } from './inputs.ts'

/** What a person may decide of a source that is to be synced. */
export const SYNC_DECISIONS = ['allow-mass-delete', 'retry-quarantined', 'full', 'force-break'] as const

/**
 * What a person has decided of the sources that are named: for each of these inputs whether it is `true`.
 *
 * @throws {UsageError} where none is named: what is right for one source is not asked of all.
 */
export function decisionInputs<Name extends string>(names: readonly Name[]): Record<Name, boolean> {
  const decided = names.filter(flagInput)
  if (decided.length > 0 && namesInput().length === 0) {
    throw new UsageError(
      `the input ${decided.join(', ')} is for sources that are named, and none is`,
      'Name in the input source those that it is meant for.',
    )
  }
  return Object.fromEntries(names.map((name) => [name, decided.includes(name)])) as Record<Name, boolean>
}
