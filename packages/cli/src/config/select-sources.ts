import { didYouMean, UsageError } from '../usage-error.ts'
import type { Config, ConfiguredSource } from './load-config.ts'

/** The source of that name. @throws {UsageError} with the nearest name that there is. */
export function getSource({ file, sources }: Config, id: string): ConfiguredSource {
  const source = sources.find((each) => each.id === id)
  if (source) return source
  const known = sources.map((each) => each.id)
  const hint = known.length === 0 ? 'Add it with: tidemark sources add <id> <repo>' : `Known are ${known.join(', ')}.`
  throw new UsageError(`there is no source ${JSON.stringify(id)} in ${file}`, didYouMean(id, known) + hint)
}

/** The sources that `--source` and `--all` choose. @throws {UsageError} where there is none. */
export function selectSources(
  config: Config,
  { all, source }: { readonly all?: boolean; readonly source?: readonly string[] },
): readonly ConfiguredSource[] {
  if (!all) return [...new Set(source)].map((id) => getSource(config, id))
  if (config.sources.length > 0) return config.sources
  throw new UsageError(`${config.file} has no sources`, 'Add one with: tidemark sources add <id> <repo>')
}
