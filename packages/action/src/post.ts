import * as core from '@actions/core'
import type { Database } from '@tidemark/sync-core'
import { withStepDatabase } from './runner/database.ts'
import { oneLine, oneLineError } from './runner/log.ts'
import { readRecordedLeases } from './runner/recorded-leases.ts'
import { readStepContext } from './runner/step-context.ts'

/** A database that does not answer must not keep a runner busy. */
const TIMEOUT_MS = 30_000

/** After a step that was killed: gives up the leases that it held, so that the next wave need not wait for them. */
export async function post(): Promise<void> {
  const leases = readRecordedLeases()
  if (leases.size === 0) return
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const breakAll = async (db: Database) => {
      for (const [key, token] of leases) {
        // Exactly that lease: whoever has taken the key since has another token.
        const { verdict } = await db.locks.break(key, { force: true, token, signal })
        if (verdict === 'broken') core.notice(oneLine(`The stopped step still held ${key}; it is free now.`))
      }
    }
    await withStepDatabase(readStepContext(), breakAll, signal)
  } catch (error) {
    // The step has ended as it has; what it held expires by itself.
    core.warning(`The leases of the stopped step expire by themselves: ${oneLineError(error)}`)
  }
}
