/**
 * The configuration of tidemark for other programs: find it, load it, read its durations.
 *
 * ```ts
 * import { resolveDatabase, findConfig, loadConfig } from 'tidemark/config'
 *
 * const config = loadConfig(findConfig(undefined))
 * for (const { id, everyMs } of config.sources) console.log(id, everyMs)
 * const db = await openDatabase(resolveDatabase(config, undefined))
 * ```
 */
export { UsageError } from '../usage-error.ts'
export { durationMs } from './duration.ts'
export { CONFIG_NAME, findConfig } from './find-config.ts'
export { type Config, type ConfiguredSource, loadConfig, resolveDatabase } from './load-config.ts'
export { selectSources } from './select-sources.ts'
