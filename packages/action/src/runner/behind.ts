import * as core from '@actions/core'
import type { ProblemCode, SourceDescription } from '@tidemark/sync-core'

/** What of a source is in and cannot be found yet. @param embeds whether runs embed, so that texts may lack an embedding */
export function incompleteness(
  { problems }: Pick<SourceDescription, 'problems'>,
  { embeds }: { readonly embeds: boolean },
): Extract<ProblemCode, 'index_incomplete' | 'embeddings_incomplete'> | null {
  const codes = problems.map(({ code }) => code)
  if (codes.includes('index_incomplete')) return 'index_incomplete'
  return embeds && codes.includes('embeddings_incomplete') ? 'embeddings_incomplete' : null
}

/** Whether a source is not what its ref is, or not all of it can be found. */
export const isBehind = (source: Pick<SourceDescription, 'behind' | 'problems'>, options: { embeds: boolean }) =>
  source.behind !== false || incompleteness(source, options) !== null

/** Sets the output `behind`, which is `unknown` until then. */
export const setBehind = (sources: readonly string[]) => core.setOutput('behind', JSON.stringify(sources))
