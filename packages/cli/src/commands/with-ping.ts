import type { RunResult } from '@tidemark/sync-core'
import type { Call } from '../call.ts'
import { isPingUrl } from '../config/ping-url.ts'
import { UsageError } from '../usage-error.ts'

interface PingFlags {
  readonly ping?: string
  readonly dryRun?: boolean
  /** The process that has started this one tells the monitor. */
  readonly asChild?: boolean
}

/**
 * Works, and tells the monitor that `--ping` or the configuration names. A monitor that cannot be told is one warning,
 * and changes nothing else.
 *
 * @throws {UsageError} where `--ping` is no address, without showing it
 */
export async function withPing<R extends RunResult>(
  call: Call,
  { ping: given, dryRun, asChild }: PingFlags,
  work: () => Promise<R[]>,
): Promise<R[]> {
  if (given !== undefined && !isPingUrl(given))
    throw new UsageError('what --ping names is no http or https address', 'Give that of a check of the monitor.')
  const url = dryRun || asChild ? null : (given ?? call.config.ping)
  if (url === null) return work()
  const { startPing } = await import('../runtime/ping.ts')
  const ping = startPing(url)
  const end = async (verdict: 'success' | 'fail', summary: string) => {
    const fault = await ping.end(verdict, summary)
    if (fault !== null) call.output.warn(`tidemark: the monitor was not told: ${fault}`)
  }
  const { summarizeError, summarizeResults, verdictFromResults } = await import('../output/ping-summary.ts')
  let results: R[]
  try {
    results = await work()
  } catch (error) {
    await end('fail', summarizeError(error))
    throw error
  }
  await end(verdictFromResults(results), summarizeResults(results))
  return results
}
